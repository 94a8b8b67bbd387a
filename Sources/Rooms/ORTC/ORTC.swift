/// Negotiation as pure functions over capabilities and parameters, with mediasoup's rules.
public enum ORTC {}
