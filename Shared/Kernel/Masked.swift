/// A value that must not be read in logs, error texts or crash reports.
///
/// Whatever prints a value (`print`, interpolation, `String(reflecting:)`, `dump`) sees `description` and no stored
/// property. Logging such a value is safe; showing it takes a property whose name says so.
public protocol Masked: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Masked {
    /// The masked form.
    public var debugDescription: String { self.description }

    /// No children: `dump` and reflection find nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
