import RoundhouseMedia
import Testing

@testable import RoundhouseGateway

@Suite struct WebhookAddressTests {
    @Test func `a URL is taken apart`() throws {
        let plain = try #require(WebhookAddress("http://hooks.example/a/b?c=d"))
        #expect(!plain.isEncrypted && plain.host == "hooks.example" && plain.port == 80 && plain.target == "/a/b?c=d")
        #expect(plain.authority == "hooks.example" && plain.description == "http://hooks.example")
        let encrypted = try #require(WebhookAddress("HTTPS://hooks.example:8443"))
        #expect(encrypted.isEncrypted && encrypted.port == 8443 && encrypted.target == "/")
        #expect(encrypted.authority == "hooks.example:8443")
        let address = try #require(WebhookAddress("https://[2001:db8::1]?x"))
        #expect(address.host == "2001:db8::1" && address.authority == "[2001:db8::1]" && address.target == "/?x")
        // What a log may say has nothing of a path, which may be a secret.
        #expect(WebhookAddress("https://a.example/services/T0/secret")?.description == "https://a.example")
    }

    @Test(arguments: [
        "", "hooks.example", "ftp://a.example/", "http://", "http://user:pass@a.example/", "http://a.example/#x",
        "http://a.example:0/", "http://a.example:65536/", "http://a.example:x/", "http://a b/", "http://a.example/a b",
        "http://a.example/\r\nX: y", "http://[::1/", "http://[nonsense]/", "http://ä.example/", "http://a.example/ä",
    ])
    func `what is no such URL is refused`(_ text: String) { #expect(WebhookAddress(text) == nil) }

    @Test func `a signature is that of Standard Webhooks' libraries`() throws {
        // From the specification's tests, github.com/standard-webhooks/standard-webhooks.
        let secret = try #require(WebhookSecret(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))
        let signature = secret.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", time: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        for text in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!"] {
            #expect(WebhookSecret(Secret(text)) == nil, "\(text)")
        }
        #expect("\(secret)".contains("77") == false && "\(secret)".contains("[") == false)
    }
}
