internal import Glibc
internal import Subprocess
internal import SystemPackage

extension EmbeddedPostgres {
    /// Lets the cluster end with this process, however that ends: stopped at once and deleted.
    ///
    /// A small shell waits on a pipe that only this process holds open. When the process is gone, killed or not, the
    /// pipe ends and the shell cleans up; it has a session of its own, so that Ctrl-C does not reach it.
    /// - Parameter others: folders that are deleted with it.
    public func removeWhenThisProcessEnds(with others: [String] = []) async throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0, ends.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }) else {
            throw ClusterPlace.refused("Making a pipe")
        }
        // ends[1] stays open for the life of this process: its closing is the signal.
        var options = PlatformOptions()
        options.createSession = true
        // Descriptor 3, because a shell gives its background commands /dev/null as standard input.
        let script = """
            trap '' INT TERM HUP
            exec 3<&0
            {
                cat <&3 >/dev/null
                if [ -r "$1/postmaster.pid" ]; then
                    server=$(head -n 1 "$1/postmaster.pid")
                    kill -QUIT "$server"
                    tries=0
                    while [ -e "$1/postmaster.pid" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
                fi
                shift
                rm -rf "$@"
            } &
            """
        let folders = [self.state.home, self.state.socketFolder, ClusterPlace.home(in: self.folder)] + others
        let result = try await Subprocess.run(
            .path("/bin/sh"), arguments: Arguments(["-c", script, "sh", self.state.data] + folders),
            workingDirectory: "/", platformOptions: options,
            input: .fileDescriptor(FileDescriptor(rawValue: ends[0]), closeAfterSpawningProcess: true),
            output: .discarded, error: .discarded)
        guard result.terminationStatus.isSuccess else {
            throw EmbeddedPostgresError(.commandFailed, "The shell that watches over the cluster did not start.")
        }
    }
}
