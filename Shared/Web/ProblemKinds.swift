import Hummingbird

/// The kinds that every service may answer with.
extension ProblemKind {
    // The request as such.
    static let badRequest = ProblemKind(
        .badRequest, "bad-request", ru: "Запрос не понят", en: "The request is not understood")
    /// Nothing at this address, or nothing that the client may know of.
    public static let notFound = ProblemKind(.notFound, "not-found", ru: "Не найдено", en: "Not found")
    static let methodNotAllowed = ProblemKind(
        .methodNotAllowed, "method-not-allowed", ru: "Метод не поддерживается", en: "Method not allowed")
    static let unsupportedMediaType = ProblemKind(
        .unsupportedMediaType, "unsupported-media-type", ru: "Ожидается application/json",
        en: "Only application/json is accepted")
    static let bodyTooLarge = ProblemKind(
        .contentTooLarge, "body-too-large", ru: "Слишком большой запрос", en: "The body is too large")

    // The body.
    static let malformedJSON = ProblemKind(
        .badRequest, "malformed-json", ru: "Тело запроса не является JSON", en: "The body is not JSON")
    static let nestedTooDeeply = ProblemKind(
        .badRequest, "nested-too-deeply", ru: "Слишком глубокая вложенность", en: "The body is nested too deeply")
    static let duplicateField = ProblemKind(
        .badRequest, "duplicate-field", ru: "Поле повторяется", en: "A field appears twice")
    static let unknownField = ProblemKind(
        .badRequest, "unknown-field", ru: "Неизвестное поле", en: "Unknown field")
    static let missingField = ProblemKind(
        .badRequest, "missing-field", ru: "Не хватает поля", en: "A field is missing")
    static let wrongType = ProblemKind(
        .badRequest, "wrong-type", ru: "Поле другого типа", en: "A field has another type")
    static let outOfRange = ProblemKind(
        .badRequest, "out-of-range", ru: "Число вне допустимых границ", en: "A number is out of range")
    /// A value of the right type that is not allowed.
    public static let invalidValue = ProblemKind(
        .badRequest, "invalid-value", ru: "Недопустимое значение", en: "A value is not allowed")
    static let invalidCursor = ProblemKind(
        .badRequest, "invalid-cursor", ru: "Неизвестная страница", en: "The cursor is not one of ours")

    // Who asks.
    /// No access token where one is needed.
    public static let tokenMissing = ProblemKind(
        .unauthorized, "token-missing", ru: "Требуется вход", en: "Authentication is required")
    /// The access token was good once.
    public static let tokenExpired = ProblemKind(
        .unauthorized, "token-expired", ru: "Сеанс истёк, обновите его", en: "The access token has expired")
    /// The access token is none of ours.
    public static let tokenInvalid = ProblemKind(
        .unauthorized, "token-invalid", ru: "Недействительный токен", en: "The access token is not valid")
    /// The access token has not run out, but its session was ended.
    public static let sessionEnded = ProblemKind(
        .unauthorized, "session-ended", ru: "Сеанс завершён, войдите снова",
        en: "The session has ended, log in again")
    static let levelTooLow = ProblemKind(
        .forbidden, "level-too-low", ru: "Требуется подтверждение", en: "A stronger authentication is required")
    static let roleMissing = ProblemKind(
        .forbidden, "role-missing", ru: "Нет нужной роли", en: "The role is missing")
    static let apiKeyInvalid = ProblemKind(
        .unauthorized, "api-key-invalid", ru: "Недействительный ключ API", en: "The API key is not valid")
    static let signatureStale = ProblemKind(
        .unauthorized, "signature-stale", ru: "Подпись запроса устарела или уже использована",
        en: "The request's signature is out of date or was used before")
    static let apiKeyScope = ProblemKind(
        .forbidden, "api-key-scope", ru: "Ключ API не даёт этого права", en: "The API key lacks the scope")
    static let apiKeyStore = ProblemKind(
        .forbidden, "api-key-store", ru: "Ключ API другого магазина", en: "The API key belongs to another store")

    // How often, how many times.
    static let idempotencyKeyRequired = ProblemKind(
        .badRequest, "idempotency-key-required", ru: "Нужен заголовок Idempotency-Key",
        en: "The header Idempotency-Key is required")
    static let idempotencyKeyInvalid = ProblemKind(
        .badRequest, "idempotency-key-invalid", ru: "Недопустимый Idempotency-Key",
        en: "The header Idempotency-Key is not allowed")
    static let idempotencyKeyReused = ProblemKind(
        .unprocessableContent, "idempotency-key-reused", ru: "Ключ уже использован для другого запроса",
        en: "The key was used for another request")
    static let idempotencyKeyInProgress = ProblemKind(
        .conflict, "idempotency-key-in-progress", ru: "Такой же запрос ещё выполняется",
        en: "The same request is still running")
    /// Asked too often.
    public static let rateLimited = ProblemKind(
        .tooManyRequests, "rate-limited", ru: "Слишком много запросов", en: "Too many requests")

    // Us.
    /// Something that passes by itself, such as the database being away.
    public static let temporarilyUnavailable = ProblemKind(
        .serviceUnavailable, "temporarily-unavailable", ru: "Сервис временно недоступен, попробуйте позже",
        en: "Temporarily unavailable, try again later")
    static let internalError = ProblemKind(
        .internalServerError, "internal-error", ru: "Внутренняя ошибка", en: "Internal error")
}
