import Crypto
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Kernel
import Web

extension Answer {
    /// The answer with an `ETag` made of its bytes, or 304 when the client has it already (RFC 9110, 8.8.3 and 13.1.2).
    func tagged(for request: Request) -> Answer {
        let tag = "\"\(Base64URL.encode(Array(SHA256.hash(data: Data(self.body)).prefix(12))))\""
        var headers = self.headers
        headers[.eTag] = tag
        let known = request.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }
            .map { $0.filter { $0 != " " }.replacing("W/", with: "") }
        guard known.contains(where: { $0 == tag || $0 == "*" }) else {
            return Answer(status: self.status, headers: headers, body: self.body)
        }
        headers[.contentType] = nil
        return .empty(.notModified, headers: headers)
    }
}
