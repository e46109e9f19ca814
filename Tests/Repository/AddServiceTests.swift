import Kernel
import Testing

@testable import Host

/// How to add a service (Services/README.md): a checklist that every service keeps, so that what it says is what there is.
@Suite struct AddServiceTests {
    private static let services = OpenAPITests.modules.enumerated().map { place, module in
        ServiceChecklist.Service(
            name: module.name.text, folder: String("\(module)".dropLast("Module".count)), place: place,
            settings: module.settings)
    }

    @Test func `every item of the checklist has a check, and every check an item`() throws {
        let items = try ServiceChecklist.items()
        #expect(items.map(\.number) == Array(1...ServiceChecklist.checks.count))
        #expect(items.map(\.name) == ServiceChecklist.checks.map(\.item))
    }

    @Test func `the checklist is tried at every service that the host knows`() {
        #expect(Self.services.map(\.name) == ServiceCatalogue.services.map(\.text))
    }

    @Test(arguments: services.map(\.name))
    func `a service has what the checklist asks for`(name: String) throws {
        let service = try #require(Self.services.first { $0.name == name })
        for check in ServiceChecklist.checks {
            let missing = try check.missing(service)
            #expect(missing.isEmpty, "\(check.item): \(missing.joined(separator: "; "))")
        }
    }

    /// A check that a service cannot fail by being absent would not see that it was forgotten.
    @Test(arguments: ServiceChecklist.checks.map(\.item))
    func `each check misses a service that is not there`(item: String) throws {
        let check = try #require(ServiceChecklist.checks.first { $0.item == item })
        let lottery = ServiceChecklist.Service(
            name: "lottery", folder: "Lottery", place: Self.services.count,
            settings: [.secret("CLUB_LOTTERY_KEY", minimumBytes: 32, meaning: "what tickets are drawn with")])
        #expect(try !check.missing(lottery).isEmpty)
    }
}
