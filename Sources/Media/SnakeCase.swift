/// `unknownSSRC` as `unknown_ssrc`: how metrics spell names.
func snakeCase(_ name: String) -> String {
    var text = ""
    var isInsideWord = false
    for character in name {
        if character.isUppercase, isInsideWord { text.append("_") }
        text.append(contentsOf: character.lowercased())
        isInsideWord = !character.isUppercase
    }
    return text
}
