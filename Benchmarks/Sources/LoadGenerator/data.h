/* Data channels of loadgen: as little SCTP (RFC 9260) as a measured run needs.  We begin each association and ignore the
 * server's own INIT, as aiortc does.  A message's chunks are made from its number, so that nothing is kept for sending again.
 * What comes out of order, which loopback does only when a socket's buffer runs over, is answered with the last number in
 * order: the server sends again by its timer, and the run's report counts it. */

#define D_CHUNK 1160 /* payload of a chunk, as browsers cut */
#define D_HEADER 28  /* of a packet with one chunk of data */
#define D_WINDOW (256 << 10)
enum { D_DOWN, D_INIT, D_COOKIE, D_UP };

typedef struct data {
    void *transport; void (*out)(void *transport, const uint8_t *packet, int length); /* one packet to the server */
    int st, tries; uint64_t next; /* when the handshake's packet goes out again */
    uint32_t tag, peer_tag, cum; uint8_t cookie[512]; int cookie_len;
    int unacked; bool inside; uint64_t stamp, number, expected; int length; /* the message that is being received */
    double pps; int size, stream; /* what is sent: 0 messages a second are as many as the server takes */
    uint64_t due, tick, acked_at; uint32_t first, next_tsn, acked, window;
    uint64_t sent, got, bytes, gaps, disorder, again, first_sent; /* of the run's window */
} data_t;

/* Called for each whole message. */
static void data_arrived(uint64_t sent_at);

static uint32_t crc32c_tab[256];
static uint32_t crc32c_soft(const uint8_t *p, int n) {
    uint32_t c = 0xffffffffu;
    if (!crc32c_tab[1]) for (uint32_t i = 0; i < 256; i++) { uint32_t x = i; for (int k = 0; k < 8; k++) x = x & 1 ? 0x82f63b78u ^ x >> 1 : x >> 1; crc32c_tab[i] = x; }
    while (n--) c = crc32c_tab[(c ^ *p++) & 255] ^ c >> 8;
    return ~c;
}
#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_hard(const uint8_t *p, int n) {
    uint64_t c = 0xffffffffu;
    for (; n >= 8; n -= 8, p += 8) { uint64_t v; memcpy(&v, p, 8); c = __builtin_ia32_crc32di(c, v); }
    while (n--) c = __builtin_ia32_crc32qi((uint32_t)c, *p++);
    return ~(uint32_t)c;
}
static uint32_t crc32c(const uint8_t *p, int n) { return __builtin_cpu_supports("sse4.2") ? crc32c_hard(p, n) : crc32c_soft(p, n); }
#else
static uint32_t crc32c(const uint8_t *p, int n) { return crc32c_soft(p, n); }
#endif

/* Chunks stand behind the 12 bytes of the common header, padded. */
static void data_send(data_t *d, uint8_t *p, int n, uint32_t tag) {
    p16(p, 5000); p16(p + 2, 5000); p32(p + 4, tag); memset(p + 8, 0, 4);
    uint32_t c = crc32c(p, n);
    p[8] = c; p[9] = c >> 8; p[10] = c >> 16; p[11] = c >> 24;
    d->out(d->transport, p, n);
}
static void data_handshake(data_t *d, uint64_t now) {
    uint8_t p[600] = {0};
    d->next = now + NS / 5;
    if (d->st == D_INIT) {
        p[12] = 1; p16(p + 14, 28); p32(p + 16, d->tag); p32(p + 20, 1 << 20); p16(p + 24, 1024); p16(p + 26, 1024); p32(p + 28, d->first);
        p16(p + 32, 0x8008); p16(p + 34, 6); p[36] = 130; p[37] = 192; /* stream resets; padded by two */
        data_send(d, p, 40, 0);
    } else {
        p[12] = 10; p16(p + 14, 4 + d->cookie_len); memcpy(p + 16, d->cookie, d->cookie_len);
        data_send(d, p, 16 + ((d->cookie_len + 3) & ~3), d->peer_tag);
    }
}
static void data_begin(data_t *d, uint64_t now) {
    d->st = D_INIT; d->tag = rnd() | 1; d->first = d->next_tsn = rnd(); d->acked = d->first - 1;
    data_handshake(d, now);
}
static void data_ack(data_t *d) {
    uint8_t p[28] = {0};
    p[12] = 3; p16(p + 14, 16); p32(p + 16, d->cum); p32(p + 20, 1 << 20);
    d->unacked = 0;
    data_send(d, p, 28, d->peer_tag);
}
/* What is left after a socket was read. */
static void data_flush(data_t *d) { if (d->st == D_UP && d->unacked) data_ack(d); }

static void data_chunk(data_t *d, const uint8_t *c, int len) {
    uint32_t tsn = g32(c + 4);
    if (tsn != d->cum + 1) { d->gaps++; d->unacked = 2; return; }
    d->cum = tsn; d->unacked++;
    const uint8_t *q = c + 16; int n = len - 16;
    if (g32(c + 12) == 50) return; /* DCEP */
    if (c[1] & 2) { d->inside = true; d->length = 0; if (n >= TRAILER && g32(q) == MAGIC) { d->number = g64(q + 8); d->stamp = g64(q + 16); } }
    d->length += n;
    if (!(c[1] & 1) || !d->inside) return;
    d->inside = false; d->got++; d->bytes += d->length;
    if (d->expected && d->number != d->expected) d->disorder++;
    d->expected = d->number + 1;
    data_arrived(d->stamp);
}
static void data_in(data_t *d, const uint8_t *p, int len, uint64_t now) {
    if (len < 16 || d->st == D_DOWN) return;
    for (int o = 12; o + 4 <= len;) {
        int type = p[o], l = g16(p + o + 2);
        if (l < 4 || o + l > len) return;
        const uint8_t *c = p + o;
        if (type == 2 && l >= 20 && d->st == D_INIT) {
            d->peer_tag = g32(c + 4); d->window = g32(c + 8); d->cum = g32(c + 16) - 1;
            for (int a = 20; a + 4 <= l; a += (g16(c + a + 2) + 3) & ~3) {
                int al = g16(c + a + 2);
                if (al < 4 || a + al > l) return;
                if (g16(c + a) == 7 && al - 4 <= (int)sizeof d->cookie) { d->cookie_len = al - 4; memcpy(d->cookie, c + a + 4, al - 4); }
            }
            d->st = D_COOKIE; data_handshake(d, now);
        } else if (type == 11 && d->st == D_COOKIE) d->st = D_UP;
        else if (type == 0 && l > 16) { if (d->st == D_COOKIE) d->st = D_UP; data_chunk(d, c, l); if (d->unacked >= 2) data_ack(d); }
        else if (type == 3 && l >= 16) {
            uint32_t a = g32(c + 4); d->window = g32(c + 8);
            if ((int32_t)(a - d->acked) > 0) { d->acked = a; d->acked_at = now; }
            if ((int32_t)(d->acked + 1 - d->next_tsn) > 0) d->next_tsn = d->acked + 1;
        } else if (type == 4) { /* HEARTBEAT: the same back */
            uint8_t r[256]; if (l > 200) return;
            memcpy(r + 12, c, l); r[12] = 5; data_send(d, r, 12 + ((l + 3) & ~3), d->peer_tag);
        } else if (type == 6) { fprintf(stderr, "loadgen: the server ended an association\n"); d->st = D_DOWN; return; }
        o += (l + 3) & ~3;
    }
}
/* Sends what is due; true if there was something. */
static bool data_due(data_t *d, uint64_t now, bool counts) {
    uint8_t p[D_HEADER + D_CHUNK + 4]; int per = (d->size + D_CHUNK - 1) / D_CHUNK; bool any = false;
    if (d->st != D_UP || !d->size) return false;
    uint32_t limit = d->window < D_WINDOW ? d->window : D_WINDOW;
    if (d->next_tsn != d->acked + 1 && now - d->acked_at > NS / 2) { d->next_tsn = d->acked + 1; d->acked_at = now; d->again++; }
    for (int burst = 0; burst < 64; burst++) {
        uint32_t k = d->next_tsn - d->first; int part = k % per;
        if ((d->next_tsn - d->acked) * (uint32_t)D_CHUNK > limit) break;
        if (!part && d->pps > 0) { if (d->due > now) break; d->due += (uint64_t)(NS / d->pps); if (now > d->due + NS / 4) d->due = now; }
        if (d->next_tsn == d->acked + 1) d->acked_at = now;
        int n = part == per - 1 ? d->size - part * D_CHUNK : D_CHUNK;
        p[12] = 0; p[13] = (part == 0) << 1 | (part == per - 1); p16(p + 14, 16 + n); p32(p + 16, d->next_tsn); p16(p + 20, d->stream); p16(p + 22, k / per); p32(p + 24, 53);
        memset(p + D_HEADER, 0x55, n + 3);
        if (!part) { p32(p + 28, MAGIC); p32(p + 32, 0); p64(p + 36, k / per + 1); p64(p + 44, real()); }
        data_send(d, p, D_HEADER + ((n + 3) & ~3), d->peer_tag);
        d->next_tsn++; any = true;
        if (counts && part == per - 1) d->sent++;
    }
    return any;
}
