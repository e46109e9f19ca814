import Testing

@testable import Club

/// What the tests of contracts and attacks lean on: that every text of a body is found, and can be set.
@Suite struct ContractReadingTests {
    private static let yaml = """
        openapi: 3.1.0
        security: [{member: []}]
        paths:
          /v1/things/{thing}:
            parameters:
              - {name: q, in: query, schema: {type: string}}
              - {name: limit, in: query, schema: {type: integer}}
            post:
              requestBody:
                content:
                  application/json:
                    schema: {$ref: '#/components/schemas/Thing'}
                    examples: {usual: {value: {name: Стол, parts: [{name: Ножка}], count: 4}}}
            get:
              security: []
        components:
          schemas:
            Thing:
              type: object
              properties:
                name: {type: string}
                kind: {type: string, enum: [a, b]}
                note: {type: [string, 'null']}
                count: {type: integer}
                parts: {type: array, items: {$ref: '#/components/schemas/Thing'}}
                where: {oneOf: [{type: object, properties: {city: {type: string}}}, {type: 'null'}]}
        """

    @Test func `texts are found through references, arrays and choices, once where a schema contains itself`() throws {
        let operation = try #require(try Contract(yaml: Self.yaml).operations["POST /v1/things/{thing}"])
        #expect(operation.schemes == ["member"])
        #expect(operation.texts.map(\.description) == [".name", ".note", ".where.city"])
        #expect(operation.queries == ["q"])
        let open = try #require(try Contract(yaml: Self.yaml).operations["GET /v1/things/{thing}"])
        #expect(open.schemes.isEmpty && open.example == nil)
    }

    @Test func `a text is set in its place, which is made where it is not there`() throws {
        let example = try #require(try Contract(yaml: Self.yaml).operations["POST /v1/things/{thing}"]?.example)
        let named = example.with("x", at: [.key("parts"), .element, .key("name")])
        #expect(named["parts"]?.items.first?["name"] == "x")
        #expect(named["name"] == "Стол" && named["count"] == 4)
        #expect(example.with("x", at: [.key("where"), .key("city")])["where"]?["city"] == "x")
    }
}
