/// What `--version` says. `make release` writes it.
enum ServerVersion {
    static let current = "0.1.0"
}
