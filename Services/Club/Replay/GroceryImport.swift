import Kernel
import Postgres
import Promotions

/// Tells promotions of the grocery data's stores and products. Running it again changes nothing.
struct GroceryImport: Sendable {
    /// As the role of promotions, or the owner.
    let database: Database
    let retries: Retries

    /// - Returns: the products by their numbers.
    func callAsFunction(_ data: GroceryData, stores: [StoreID]) async throws -> [Int64: GroceryProduct] {
        let products = try await data.products()
        let records = products.map { product in
            ProductRecord(sku: GroceryProduct.sku(product.id), title: product.title, category: product.categoryCode)
        }
        let departments = Set(products.map(\.department)).sorted()
        let shelves = departments.enumerated().map { position, department in
            CategoryRecord(
                id: GroceryProduct.categoryCode(department: department),
                title: department.isEmpty ? "GROCERY DATA" : department, position: Int32(position))
        }
        let shops = Set(stores).sorted().map { StoreRecord(id: $0, title: "Grocery \($0)") }
        try await self.retries.run("the catalogue cannot be written") {
            _ = try await ImportStores(database: self.database)(shops)
            _ = try await ImportCatalogue(database: self.database)(records, on: shelves)
        }
        return Dictionary(products.map { ($0.id, $0) }) { first, _ in first }
    }
}
