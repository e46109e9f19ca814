import Kernel
import Photos
import Postgres

/// Shows certificates to their members, as facts, as pictures and on paper. What is another's is answered like nothing.
struct ShowGift: Sendable {
    /// A certificate with what is sealed in it, as far as this member may see it.
    struct View: Sendable {
        let certificate: Certificate
        let value: FaceValue
        let recipient: GiftRecipient?
        let words: GiftWords?
        let isBuyer: Bool
        /// Whether this member may see the code: the holder, and the giver of a gift to themselves.
        let seesCode: Bool
    }

    private let database: Database
    private let sealer: GiftSealer
    private let qrCodes: QRCodes
    private let printer: PagePrinter
    private let certificates = CertificateStore()
    private let photos = PhotoStore()

    init(database: Database, sealer: GiftSealer, qrCodes: QRCodes, printer: PagePrinter) {
        (self.database, self.sealer) = (database, sealer)
        (self.qrCodes, self.printer) = (qrCodes, printer)
    }

    /// - Throws: ``GiftRefusal/unknown``.
    func callAsFunction(_ id: GiftCertificate.ID, for member: Member.ID) async throws -> View {
        guard let certificate = try await self.certificates.find(id, in: self.database),
            certificate.buyer == member || certificate.holder == member
        else { throw GiftRefusal.unknown }
        return try self.view(certificate, for: member)
    }

    func list(of member: Member.ID, before: GiftCertificate.ID?, limit: Int) async throws -> [View] {
        try await self.certificates.list(of: member, before: before, limit: limit, in: self.database)
            .map { try self.view($0, for: member) }
    }

    /// - Parameter member: nil for whoever came by the link.
    func view(_ certificate: Certificate, for member: Member.ID?) throws -> View {
        guard let value = FaceValue(certificate.faceValue) else { throw GiftRefusal.unknown }
        let isBuyer = certificate.buyer == member
        return View(
            certificate: certificate, value: value,
            recipient: isBuyer || member == nil ? try self.sealer.recipient(of: certificate) : nil,
            words: try self.sealer.words(of: certificate), isBuyer: isBuyer,
            seesCode: member != nil && certificate.holder == member)
    }

    /// The code, for who may see it.
    ///
    /// - Throws: ``GiftRefusal/unknown`` for everybody else, and where there is none to be shown.
    func code(of view: View) throws -> CertificateCode {
        guard view.seesCode, view.certificate.state.isSpendable || view.certificate.state == .used,
            let code = try self.sealer.code(of: view.certificate)
        else { throw GiftRefusal.unknown }
        return code
    }

    /// The picture without the code.
    func card(of view: View) async throws -> String {
        try await self.card(view).screen
    }

    /// A page to be printed, with the code and, where the library for it is installed, its QR code.
    ///
    /// - Throws: ``GiftRefusal``.
    func page(of view: View) async throws -> String {
        let code = try self.code(of: view)
        let modules: QRModules?
        do throws(QRCodes.Failure) {
            modules = try self.qrCodes(code.text)
        } catch {
            modules = nil
        }
        let expires = view.certificate.expiresAt.map(Self.day)
        return try await self.card(view).page(GiftCard.Secret(code: code, modules: modules, expires: expires))
    }

    /// The same as PDF.
    ///
    /// - Throws: ``GiftRefusal``.
    func pdf(of view: View) async throws -> [UInt8] {
        do {
            return try await self.printer(try await self.page(of: view))
        } catch PagePrinter.Failure.notInstalled {
            throw GiftRefusal.unavailable
        }
    }

    private func card(_ view: View) async throws -> GiftCard {
        let id = view.certificate.id
        let bytes: [UInt8]? = try await self.photos.find(of: id, in: self.database).map {
            try self.sealer.vault.open($0, .photo, of: id)
        }
        let photo = bytes.flatMap { bytes in
            PhotoHeader(bytes).map { GiftPhoto(contentType: $0.kind.contentType, bytes: bytes) }
        }
        return GiftCard(
            design: view.certificate.design, value: view.value, recipientName: view.recipient?.name ?? "",
            words: view.words, photo: photo)
    }

    /// `04.12.2027`, the day in Moscow, whose clocks have been three hours ahead of UTC since before the programme
    /// began.
    private static func day(_ moment: Timestamp) -> String {
        let seconds = moment.secondsSince1970 + 3 * 3600
        let date = CivilDate(daysSince1970: seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(date.day)).\(two(date.month)).\(date.year)"
    }
}
