/// What an operator can do when TLS did not come about. libpq only says what was wrong, and says it of several hosts at
/// once; its words are the same from version 15 on.
enum TLSAdvice {
    private static let sentences: [(words: String, advice: String)] = [
        (
            "certificate verify failed",
            "the server's certificate does not stand under the authority that sslrootcert names, or has run out: name "
                + "the right authority's file there, or renew the certificate"
        ),
        (
            "does not match host name",
            "the server's certificate is for another name: connect to a name that it holds, or give the server a "
                + "certificate for this one"
        ),
        (
            "root certificate file",
            "there is no file with the authority that the server is checked by: name it in sslrootcert"
        ),
        (
            "server does not support SSL",
            "the server does not speak TLS, which sslmode demands: turn ssl on there, or lower sslmode"
        ),
    ]

    /// The sentence for a message of libpq; nil when it is about something else.
    static func sentence(for message: String) -> String? {
        Self.sentences.first { message.contains($0.words) }?.advice
    }
}
