import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// What tokens have to say beside their signature.
@Suite struct TokenRulesTests {
    private static let now = 1_800_000_000.0

    private func problem(_ claims: String, _ change: (inout TokenRules) -> Void) throws -> TokenProblem? {
        let issuer = try TokenIssuer(.hs256)
        var rules = TokenRules()
        change(&rules)
        let verifier = TokenVerifier([try issuer.key()], rules: rules)
        let token = Secret(try issuer.token(claims))
        do throws(TokenProblem) {
            _ = try verifier.verify(token, now: Self.now)
            return nil
        } catch {
            return error
        }
    }

    @Test func `an issuer that is named has to be the token's, to the letter`() throws {
        for (claims, expected) in [
            (#"{"room":"r","iss":"https://id.example"}"#, nil), (#"{"room":"r","iss":"second"}"#, nil),
            (#"{"room":"r"}"#, TokenProblem.wrongIssuer), (#"{"room":"r","iss":""}"#, .wrongIssuer),
            (#"{"room":"r","iss":"https://id.example/"}"#, .wrongIssuer),
            (#"{"room":"r","iss":"HTTPS://ID.EXAMPLE"}"#, .wrongIssuer),
            (#"{"room":"r","iss":["https://id.example"]}"#, .malformed), (#"{"room":"r","iss":7}"#, .malformed),
        ] {
            #expect(try problem(claims) { $0.issuers = ["https://id.example", "second"] } == expected, "\(claims)")
        }
        #expect(try problem(#"{"room":"r","iss":"anybody"}"#) { _ in } == nil)
    }

    @Test func `of those a token is for, one has to be this server`() throws {
        for (claims, expected) in [
            (#"{"room":"r","aud":"meet"}"#, nil), (#"{"room":"r","aud":["shop","meet"]}"#, nil),
            (#"{"room":"r"}"#, TokenProblem.wrongAudience), (#"{"room":"r","aud":[]}"#, .wrongAudience),
            (#"{"room":"r","aud":"shop"}"#, .wrongAudience), (#"{"room":"r","aud":"meet "}"#, .wrongAudience),
            (#"{"room":"r","aud":["meet",7]}"#, .malformed), (#"{"room":"r","aud":{"meet":1}}"#, .malformed),
        ] {
            #expect(try problem(claims) { $0.audiences = ["meet", "meet2"] } == expected, "\(claims)")
        }
        #expect(try problem(#"{"room":"r","aud":"shop"}"#) { _ in } == nil)
    }

    @Test func `where it is asked for, a token without an end is none`() throws {
        #expect(try problem(#"{"room":"r"}"#) { $0.requiresExpiry = true } == .noExpiry)
        #expect(try problem(#"{"room":"r","exp":1800000001}"#) { $0.requiresExpiry = true } == nil)
        #expect(try problem(#"{"room":"r","exp":1800000000}"#) { $0.requiresExpiry = true } == .expired)
    }

    @Test func `a revoked token is none, and others are as they were`() throws {
        func revoke(_ rules: inout TokenRules) { rules.revoked = ["a", "b"] }
        #expect(try problem(#"{"room":"r","jti":"a"}"#, revoke) == .revoked)
        #expect(try problem(#"{"room":"r","jti":"A"}"#, revoke) == nil)
        #expect(try problem(#"{"room":"r"}"#, revoke) == nil)
        #expect(try problem(#"{"room":"r","jti":7}"#, revoke) == .malformed)
    }

    @Test func `the file of revoked tokens has a name in a line, and what has expired is not kept`() throws {
        let text = "# stolen\r\nabc\r\n\n  def 1800000001\nghi\t1799999999 \n"
        #expect(try TokenRules.revoked(inFile: text, now: Self.now).get() == ["abc", "def"])
        #expect(try TokenRules.revoked(inFile: "", now: Self.now).get() == [])
        for (text, line) in [("abc soon", 1), ("a\nb 1 2", 2), ("a\n\nb nan?", 3)] {
            #expect(TokenRules.revoked(inFile: text, now: Self.now) == .failure(.init(number: line)), "\(text)")
        }
    }

    @Test func `what this server signs is what it asks for`() throws {
        let key = try AccessKey("0123456789abcdef0123456789abcdef")
        var rules = TokenRules()
        (rules.issuers, rules.audiences, rules.requiresExpiry) = (["b", "a"], ["y", "x"], true)
        let token = try AccessToken.make(
            AccessGrants(room: "r"), key: key, lifetime: 60, now: Self.now, rules: rules, id: "one")
        #expect(try TokenVerifier([key], rules: rules).verify(Secret(token), now: Self.now).room == "r")
        rules.revoked = ["one"]
        let refusal = #expect(throws: TokenProblem.self) {
            try TokenVerifier([key], rules: rules).verify(Secret(token), now: Self.now)
        }
        #expect(refusal == .revoked)
    }
}
