// One peer of a room with data channels and nothing else, by mediasoup-demo's protocol: no line of the page's own.
window.dataPeer = (() => {
    const peer = { received: [], channels: {}, notifications: [], transports: {} };
    const waiting = new Map();
    let socket, number = 0;

    const content = (size, salt) => {
        const bytes = new Uint8Array(size);
        for (let index = 0; index < size; index += 1) bytes[index] = (index * 31 + (index >> 8) + salt) & 0x7f;
        return bytes;
    };
    const checksum = bytes => {
        let value = 0x811c9dc5;
        for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
        return value;
    };

    peer.ask = (method, data = {}) => new Promise((resolve, reject) => {
        number += 1;
        waiting.set(number, { resolve, reject });
        socket.send(JSON.stringify({ request: true, id: number, method, data }));
    });

    const received = async message => {
        if (message.response) {
            const { resolve, reject } = waiting.get(message.id);
            waiting.delete(message.id);
            if (message.ok) resolve(message.data);
            else reject(new Error(`${message.errorCode} ${message.errorReason}`));
        } else if (message.request) {
            if (message.method === "newDataConsumer") await consume(message.data);
            socket.send(JSON.stringify({ response: true, id: message.id, ok: true, data: {} }));
        } else {
            peer.notifications.push([message.method, message.data]);
        }
    };

    const answer = ({ iceParameters, iceCandidates, dtlsParameters, sctpParameters }, mid) => [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite", `a=group:BUNDLE ${mid}`,
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", `a=mid:${mid}`,
        `a=ice-ufrag:${iceParameters.usernameFragment}`, `a=ice-pwd:${iceParameters.password}`,
        `a=fingerprint:sha-256 ${dtlsParameters.fingerprints.find(one => one.algorithm === "sha-256").value}`,
        "a=setup:passive", `a=sctp-port:${sctpParameters.port}`, `a=max-message-size:${sctpParameters.maxMessageSize}`,
        ...iceCandidates.map(one =>
            `a=candidate:${one.foundation} 1 ${one.protocol} ${one.priority} ${one.ip} ${one.port} typ host`),
        "a=end-of-candidates", "",
    ].join("\r\n");

    const transport = async direction => {
        const info = await peer.ask("createWebRtcTransport", {
            producing: direction === "send", consuming: direction === "receive",
            sctpCapabilities: { numStreams: { OS: 1024, MIS: 1024 } },
        });
        peer.transports[direction] = { info, connection: new RTCPeerConnection() };
    };
    const connect = ({ info, connection, ...rest }, direction) => {
        peer.transports[direction].connected ??= (async () => {
            const offer = await connection.createOffer();
            await connection.setLocalDescription(offer);
            const [, algorithm, value] = offer.sdp.match(/a=fingerprint:(\S+) (\S+)/);
            await peer.ask("connectWebRtcTransport", {
                transportId: info.id, dtlsParameters: { role: "client", fingerprints: [{ algorithm, value }] },
            });
            const mid = offer.sdp.match(/a=mid:(\S+)/)[1];
            await connection.setRemoteDescription({ type: "answer", sdp: answer(info, mid) });
        })();
        return peer.transports[direction].connected;
    };
    const opened = channel => channel.readyState === "open" ? undefined : new Promise((resolve, reject) => {
        channel.addEventListener("open", resolve);
        channel.addEventListener("close", () => reject(new Error(`${channel.label} was closed`)));
    });

    peer.enter = async (address, room, name, join) => {
        socket = new WebSocket(`${address}/?roomId=${room}&peerId=${name}`, "protoo");
        await new Promise((resolve, reject) => {
            socket.addEventListener("open", resolve);
            socket.addEventListener("error", () => reject(new Error("the WebSocket failed")));
        });
        socket.addEventListener("message", ({ data }) => received(JSON.parse(data)));
        await transport("send");
        await transport("receive");
        await peer.ask("join", {
            displayName: name, device: { name: "test" }, bot: false,
            sctpCapabilities: { numStreams: { OS: 1024, MIS: 1024 } }, ...join,
        });
    };

    let next = 0;
    peer.produce = async (label, options = {}) => {
        const { info, connection } = peer.transports.send;
        const id = options.id ?? next;
        next = Math.max(next, id + 1);
        const channel = connection.createDataChannel(label, { negotiated: true, ...options, id });
        await connect(peer.transports.send, "send");
        const { ordered, maxRetransmits, maxPacketLifeTime } = options;
        const { id: producer } = await peer.ask("produceData", {
            transportId: info.id, label, protocol: "", appData: {},
            sctpStreamParameters: { streamId: id, ordered, maxRetransmits, maxPacketLifeTime },
        });
        await opened(channel);
        peer.channels[label] = channel;
        return producer;
    };

    // Returns when the channel is closed on both sides, so that its number is free.
    peer.close = label => new Promise(resolve => {
        const channel = peer.channels[label];
        channel.addEventListener("close", () => resolve());
        channel.close();
    });

    peer.send = async (label, kind, size, salt) => {
        const channel = peer.channels[label];
        while (channel.bufferedAmount > 1 << 20) await new Promise(resolve => setTimeout(resolve, 5));
        const bytes = content(size, salt);
        channel.send(kind === "string" ? new TextDecoder().decode(bytes) : bytes.buffer);
    };

    const consume = async ({ id, label, sctpStreamParameters, peerId }) => {
        const { streamId, ordered, maxRetransmits, maxPacketLifeTime } = sctpStreamParameters;
        const options = { negotiated: true, id: streamId, ordered };
        if (maxRetransmits !== undefined) options.maxRetransmits = maxRetransmits;
        if (maxPacketLifeTime !== undefined) options.maxPacketLifeTime = maxPacketLifeTime;
        const channel = peer.transports.receive.connection.createDataChannel(label, options);
        channel.binaryType = "arraybuffer";
        channel.addEventListener("message", ({ data }) => {
            const bytes = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data);
            peer.received.push([label, typeof data === "string" ? "string" : "binary", bytes.length, checksum(bytes)]);
        });
        await connect(peer.transports.receive, "receive");
    };

    return peer;
})();
