import FoundationEssentials
public import Hummingbird
public import Kernel
import NIOCore

/// What accompanies a request of the house from the socket to the route.
public struct ClubRequestContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// Set by ``MemberAuthentication``.
    public var accessToken: AccessToken?
    /// Set by ``StaffAuthentication``.
    public var staffToken: StaffToken?
    /// Set by ``TillAuthentication``.
    public var tillKey: TillKey?
    /// The address at the other end of the connection; nil where there is none, as in tests of the router.
    public let peerAddress: String?

    public init(source: Source) {
        self.coreContext = .init(source: source)
        self.peerAddress = source.channel.remoteAddress?.ipAddress
    }

    public var requestDecoder: StrictJSON { StrictJSON() }
    public var maxUploadSize: Int { StrictJSON.defaultLimit }
}

extension ClubRequestContext {
    /// The access token of a route behind ``MemberAuthentication``.
    /// - Throws: `token-missing` elsewhere.
    public func requireMember() throws(Problem) -> AccessToken {
        guard let token = self.accessToken else { throw Problem(.tokenMissing, headers: [.wwwAuthenticate: "Bearer"]) }
        return token
    }

    /// The API key of a route behind ``TillAuthentication``.
    /// - Throws: `api-key-invalid` elsewhere.
    public func requireTill() throws(Problem) -> TillKey {
        guard let key = self.tillKey else { throw Problem(.apiKeyInvalid, headers: [.wwwAuthenticate: "Bearer"]) }
        return key
    }

    /// The token of a route behind ``StaffAuthentication``.
    /// - Throws: `token-missing` elsewhere.
    public func requireStaff() throws(Problem) -> StaffToken {
        guard let token = self.staffToken else { throw Problem(.tokenMissing, headers: [.wwwAuthenticate: "Bearer"]) }
        return token
    }

    /// An identifier out of the path.
    /// - Throws: `not-found` for what is no identifier, exactly as for one that nothing has.
    public func id<Subject>(_ name: String, of _: Subject.Type = Subject.self) throws(Problem) -> Identifier<Subject> {
        guard let text = self.parameters.get(name), let id = Identifier<Subject>(text) else {
            throw Problem(.notFound)
        }
        return id
    }
}
