import Crypto
import FoundationEssentials
import Kernel
import Photos
import Postgres

/// Takes a letter from the mail server: the signed address that it went to decides the ticket, a letter to no such address
/// opens a new one, what a machine has written is passed over, and the same letter again is the same letter.
struct ReceiveLetter: Sendable {
    /// What became of a letter.
    enum Outcome: Hashable, Sendable {
        /// It answers a ticket.
        case added(Ticket.ID)
        /// It opens a ticket.
        case opened(Ticket.ID)
        /// It was here before.
        case duplicate(Ticket.ID?)
        /// Nobody has written it, or there is nothing in it.
        case ignored
        /// Its sender cannot be made out, or writes too much.
        case refused
    }

    let database: Database
    let desk: TicketDesk
    let open: OpenTicket
    let turns: CustomerTurns
    let clean: PhotoCleaner
    let keys: SupportKeys
    let domain: String
    private let store = DeskStore()

    init(
        database: Database, desk: TicketDesk, open: OpenTicket, turns: CustomerTurns, clean: PhotoCleaner,
        keys: SupportKeys, domain: String
    ) {
        (self.database, self.desk, self.open, self.turns) = (database, desk, open, turns)
        (self.clean, self.keys, self.domain) = (clean, keys, domain)
    }

    func callAsFunction(_ bytes: [UInt8]) async throws -> Outcome {
        let letter = InboundLetter(bytes)
        let text = letter.text
        guard !letter.isAutomatic, !(text.isEmpty && letter.pictures.isEmpty) else { return .ignored }
        // A letter without a name is named by what it is.
        let hash = Array(SHA256.hash(data: letter.messageID.map { Data($0.utf8) } ?? Data(bytes)))
        let outcome = try await self.database.transaction { transaction in
            try await self.file(letter, text.isEmpty ? "(фото / photo)" : text, hash, in: transaction)
        }
        switch outcome {
        case .added(let ticket), .opened(let ticket): try await self.attach(letter.pictures, to: ticket)
        case .duplicate, .ignored, .refused: break
        }
        return outcome
    }

    private func file(
        _ letter: InboundLetter, _ text: String, _ hash: [UInt8], in transaction: borrowing Transaction
    ) async throws -> Outcome {
        let addressed = letter.recipients.lazy
            .compactMap { ReplyAddress($0, domain: self.domain, self.keys) }.first?.ticket
        guard try await self.store.note(letter: hash, of: addressed, at: self.desk.clock.now, in: transaction) else {
            return .duplicate(try await self.store.ticket(ofLetter: hash, in: transaction))
        }
        do {
            if let addressed, try await self.add(letter, text, to: addressed, in: transaction) {
                return .added(addressed)
            }
            guard let sender = letter.from else { return .refused }
            let question = OpenTicket.Question(
                email: sender, source: .email, reason: ReasonTree.letter,
                subject: letter.subject.isEmpty ? nil : letter.subject, text: text,
                language: text.unicodeScalars.contains { 0x400...0x4FF ~= $0.value } ? .ru : .en,
                letter: letter.messageID)
            return .opened(try await self.open(question, in: transaction).id)
        } catch is TicketRefusal {
            return .refused
        }
    }

    /// - Returns: false when it is too late for the ticket, so that the letter opens a new one.
    private func add(
        _ letter: InboundLetter, _ text: String, to ticket: Ticket.ID, in transaction: borrowing Transaction
    ) async throws -> Bool {
        do {
            _ = try await self.turns.reply(
                text, letter: letter.messageID, to: ticket, by: .bearer(ticket), in: transaction)
            return true
        } catch TicketRefusal.closed {
            return false
        }
    }

    /// Pictures that are none, and those beyond the fifth, are left out: the text is what counts.
    private func attach(_ pictures: [[UInt8]], to ticket: Ticket.ID) async throws {
        for bytes in pictures where bytes.count <= PhotoHeader.bytesMax {
            guard let header = PhotoHeader(bytes), !header.isTooLarge,
                let cleaned = try? await self.clean(bytes, header)
            else { continue }
            do {
                try await self.database.transaction { transaction in
                    _ = try await self.turns.attach(cleaned, to: ticket, by: .bearer(ticket), in: transaction)
                }
            } catch is TicketRefusal {
                return
            }
        }
    }
}
