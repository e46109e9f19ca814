import Testing

@testable import Postgres

@Suite struct ListenerStateTests {
    @Test func `it connects when it is first wanted and only then`() {
        var state = ListenerState()
        #expect(state.wanted() == .connect)
        #expect(state.wanted() == .none)
        #expect(state.connected() == .none)
        #expect(state.isConnected)
        #expect(state.wanted() == .none)
    }

    @Test func `pauses double up to the longest and begin anew after a success`() {
        var state = ListenerState(firstPause: .milliseconds(100), longestPause: .milliseconds(350))
        _ = state.wanted()
        var pauses: [Duration] = []
        for _ in 0..<4 {
            guard case .wait(let pause) = state.failed(jitter: 1) else { return #expect(Bool(false), "no pause") }
            pauses.append(pause)
            #expect(state.pauseOver() == .connect)
        }
        #expect(pauses == [.milliseconds(100), .milliseconds(200), .milliseconds(350), .milliseconds(350)])
        _ = state.connected()
        #expect(state.failed(jitter: 1) == .wait(.milliseconds(100)))
    }

    @Test func `jitter takes up to half of a pause away`() {
        var state = ListenerState(firstPause: .milliseconds(100))
        _ = state.wanted()
        #expect(state.failed(jitter: 0) == .wait(.milliseconds(50)))
    }

    @Test func `a hundred failures do not overflow`() {
        var state = ListenerState()
        _ = state.wanted()
        for _ in 0..<100 {
            guard case .wait(let pause) = state.failed(jitter: 1) else { return #expect(Bool(false), "no pause") }
            #expect(pause <= state.longestPause)
            _ = state.pauseOver()
        }
    }

    @Test func `a connection that comes after nobody wants it is closed`() {
        var state = ListenerState()
        _ = state.wanted()
        #expect(state.unwanted() == .none)
        #expect(state.connected() == .disconnect)
    }

    @Test func `nobody listening closes the connection and a pause ends in nothing`() {
        var state = ListenerState()
        _ = state.wanted()
        _ = state.connected()
        #expect(state.unwanted() == .disconnect)
        #expect(state.failed(jitter: 1) == .none)
        #expect(state.pauseOver() == .none)
        #expect(state.wanted() == .connect)
    }

    @Test func `what is stopped stays stopped`() {
        var state = ListenerState()
        _ = state.wanted()
        _ = state.connected()
        #expect(state.stop() == .disconnect)
        #expect(state.failed(jitter: 1) == .none)
        #expect(state.wanted() == .none)
        #expect(state.unwanted() == .none)
        #expect(state.wanted() == .none)
    }
}

@Suite struct MailboxTests {
    private func bell(_ number: Int) -> Bell { .notification(channel: "c", payload: "\(number)") }

    @Test func `bells are taken in the order they rang, equal ones once`() async {
        let mailbox = Mailbox(onEnd: {})
        for number in [1, 2, 1, 1, 3] { mailbox.ring(self.bell(number)) }
        #expect(await mailbox.next() == self.bell(1))
        #expect(await mailbox.next() == self.bell(2))
        mailbox.ring(self.bell(2))
        #expect(await mailbox.next() == self.bell(3))
        #expect(await mailbox.next() == self.bell(2))
    }

    @Test func `too many bells become one that says look everywhere`() async {
        let mailbox = Mailbox(onEnd: {})
        for number in 0..<2000 { mailbox.ring(self.bell(number)) }
        #expect(await mailbox.next() == .reconnected)
    }

    @Test func `a waiting consumer ends with the mailbox`() async {
        let mailbox = Mailbox(onEnd: {})
        async let next = mailbox.next()
        mailbox.finish()
        #expect(await next == nil)
        mailbox.ring(self.bell(1))
        #expect(await mailbox.next() == nil)
    }

    @Test func `a cancelled consumer ends and the mailbox goes on`() async {
        let mailbox = Mailbox(onEnd: {})
        let task = Task { await mailbox.next() }
        task.cancel()
        #expect(await task.value == nil)
        mailbox.ring(self.bell(1))
        #expect(await mailbox.next() == self.bell(1))
    }
}
