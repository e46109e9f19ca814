import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Host

/// What operators are given runs what there is, with every secret from a file, and nothing that changes by itself.
@Suite struct ComposeTests {
    private func compose() throws -> ComposeFile {
        try ComposeFile(text: SourceTree.text("docker-compose.yml"))
    }

    @Test func `every service's executable is a service of the compose file, and says how it is`() throws {
        let services = try self.compose().services
        let programs = try SourceTree.subfolders(of: "Services/Executables").filter { $0.hasPrefix("club-") }
        #expect(programs.count == OpenAPITests.modules.count)
        for program in programs {
            let service = try #require(services[String(program.dropFirst(5))], "\(program)")
            #expect(service.command == [program])
            #expect(service.check == ["CMD", program, "--health"])
        }
        let image = try SourceTree.text("deploy/Dockerfile")
        #expect(programs.filter { !image.contains(" \($0)") } == [], "the image has no such name")
    }

    @Test func `every secret that a service needs comes from a file of its own`() throws {
        let compose = try self.compose()
        for module in OpenAPITests.modules {
            let name = module.name.text.replacing("_", with: "-")
            let service = try #require(compose.services[name])
            let password = HostSettings.password(of: module.name).name
            let needed = module.settings.filter { $0.isSecret && $0.isRequired }.map(\.name)
            for setting in needed + [password, HostSettings.queueKeys.name] {
                let file = try #require(service.environment[setting + "_FILE"], "\(name): \(setting)")
                #expect(service.secrets.values.contains(file), "\(name): \(file) is not among its secrets")
            }
            // Nobody else's, and none in the open.
            let foreign = service.secrets.keys.filter {
                !$0.hasPrefix("club_\(module.name.text)") && $0 != "club_queue_keys"
            }
            #expect(foreign == [])
            #expect(module.settings.filter { $0.isSecret && service.environment[$0.name] != nil }.isEmpty)
        }
        for service in compose.services.values {
            #expect(compose.secrets.isSuperset(of: service.secrets.keys), "\(service.name)")
        }
    }

    @Test func `deploy secrets makes every secret of the compose file, once`() async throws {
        let folder = "/tmp/club-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let shell = ClubShell(data: folder, settings: ["CLUB_SECRETS": folder])
        func contents() throws -> [String: String] {
            try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: [:]) {
                $0[$1] = try String(contentsOfFile: "\(folder)/\($1)", encoding: .utf8)
            }
        }
        let first = try await shell.run("\(SourceTree.root)/deploy/secrets", [])
        #expect(first.code == 0, "\(first)")
        let made = try contents()
        #expect(Set(made.keys) == (try self.compose().secrets))
        #expect(made.values.allSatisfy { $0.utf8.count >= 32 && !$0.contains("\n") })
        #expect(Set(made.values).count == made.count)
        #expect(made.keys.allSatisfy { first.output.contains($0) })
        let mode = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        let second = try await shell.run("\(SourceTree.root)/deploy/secrets", [])
        #expect(second.code == 0, "\(second)")
        #expect(try contents() == made)
    }

    @Test func `every image has a version, and none is the latest`() throws {
        var images = try self.compose().services.values.map(\.image)
        for file in ["deploy/Dockerfile", "deploy/kannel/Dockerfile"] {
            images += try SourceTree.text(file).split(separator: "\n").filter { $0.hasPrefix("FROM ") }
                .compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }.filter { $0 != "scratch" }
        }
        #expect(images.count > 15)
        for image in images {
            let tag = image.split(separator: ":").dropFirst().last ?? ""
            #expect(!tag.isEmpty && tag != "latest" && !image.contains("$"), "\(image)")
        }
    }

    @Test func `every container is limited, and may do as little as it needs`() throws {
        for service in try self.compose().services.values {
            let content = service.content
            #expect(content["read_only"] as? Bool == true, "\(service.name)")
            #expect(content["cap_drop"] as? [String] == ["ALL"], "\(service.name)")
            #expect(content["security_opt"] as? [String] == ["no-new-privileges:true"], "\(service.name)")
            #expect(content["mem_limit"] != nil && content["pids_limit"] != nil, "\(service.name)")
            if service.isShort { continue }
            #expect(content["cpus"] != nil, "\(service.name)")
            #expect(content["restart"] as? String == "unless-stopped", "\(service.name)")
            #expect(!service.check.isEmpty, "\(service.name)")
        }
    }

    @Test func `what may be set stands in the example, and nothing else does`() throws {
        let example = try SourceTree.text(".env.example").split(separator: "\n")
            .compactMap { $0.firstMatch(of: #/^#([A-Z_]+)=/#).map { String($0.1) } }
        #expect(Set(example).count == example.count)
        // Read by deploy/compose.tls.yml.
        let overlay = try ComposeFile.variables(in: SourceTree.text("deploy/compose.tls.yml"))
        #expect(Set(example).symmetricDifference(try self.compose().variables.union(overlay)).sorted() == [])
    }
}
