import Kernel

/// Seals what is personal or worth money before it is written, and opens it for who may see it.
struct GiftSealer: Sendable {
    let vault: CodeVault
    let random: RandomBytes

    func seal(_ order: GiftOrder, of id: GiftCertificate.ID) throws -> SealedOrder {
        SealedOrder(
            recipient: try self.vault.sealJSON(order.recipient, .recipient, of: id),
            words: try order.words.map { try self.vault.sealJSON($0, .words, of: id) })
    }

    /// A new code and a new link.
    func makeKeys(of id: GiftCertificate.ID) throws -> SealedKeys {
        let (code, link) = (CertificateCode.make(random: self.random), GiftLink.make(random: self.random))
        return SealedKeys(
            codeIndex: self.vault.index(code), code: try self.vault.seal(code.bytes, .code, of: id),
            linkIndex: self.vault.index(link), link: try self.vault.seal(link.bytes, .link, of: id))
    }

    func recipient(of certificate: Certificate) throws -> GiftRecipient? {
        try certificate.recipient.map {
            try self.vault.openJSON($0, as: GiftRecipient.self, .recipient, of: certificate.id)
        }
    }

    func words(of certificate: Certificate) throws -> GiftWords? {
        try certificate.words.map { try self.vault.openJSON($0, as: GiftWords.self, .words, of: certificate.id) }
    }

    func code(of certificate: Certificate) throws -> CertificateCode? {
        try certificate.code.flatMap {
            CertificateCode(bytes: try self.vault.open($0, .code, of: certificate.id))
        }
    }

    func link(of certificate: Certificate) throws -> GiftLink? {
        try certificate.link.flatMap {
            GiftLink(Base64URL.encode(try self.vault.open($0, .link, of: certificate.id)))
        }
    }
}
