import Contracts
import JobQueue
import Kernel
import Postgres

/// Keeps how members stand: whether their points may leave the account.
struct OnStandingChanged: Sendable {
    private let profiles = ProfileStore()

    func callAsFunction(_ jobs: [Job<StandingChanged>], in transaction: borrowing Transaction) async throws {
        let standings = jobs.map { job in
            ProfileStore.Standing(
                member: job.message.member, isActive: job.message.standing.isActive,
                isLocked: job.message.standing.isSpendingLocked, language: job.message.standing.language,
                since: job.message.changedAt)
        }
        try await self.profiles.upsert(standings, in: transaction)
    }
}

/// Keeps birthdays, for rules that ask for them.
struct OnBirthdaySet: Sendable {
    private let profiles = ProfileStore()

    func callAsFunction(_ jobs: [Job<BirthdaySet>], in transaction: borrowing Transaction) async throws {
        let birthdays = jobs.map { job in
            let birthday = Birthday(month: Int64(job.message.month), day: Int64(job.message.day))
            return (member: job.message.member, birthday: birthday, since: job.message.changedAt)
        }
        try await self.profiles.upsert(birthdays, in: transaction)
    }
}

/// Keeps what members have told auth about being looked at: who does not want it has no list of what is bought most, and no
/// offers chosen by it.
struct OnProfilingChanged: Sendable {
    private let profiles = ProfileStore()

    func callAsFunction(_ jobs: [Job<ProfilingChanged>], in transaction: borrowing Transaction) async throws {
        let decisions = jobs.map { job in
            ProfileStore.Profiling(
                member: job.message.member, isAllowed: job.message.isAllowed, since: job.message.changedAt)
        }
        try await self.profiles.upsert(decisions, in: transaction)
    }
}

/// Destroys what says something about a person who is erased.
struct OnMemberErased: Sendable {
    private let profiles = ProfileStore()

    func callAsFunction(_ jobs: [Job<MemberErased>], in transaction: borrowing Transaction) async throws {
        try await self.profiles.erase(Set(jobs.map(\.message.member)).sorted(), in: transaction)
    }
}
