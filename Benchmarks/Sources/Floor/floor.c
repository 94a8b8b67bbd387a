// C. The floor of a 1->N RTP fan-out on one core: receive (+unprotect) one SRTP packet, and per destination rewrite ssrc/seq/timestamp,
// protect with that destination's own key, send. One JSON line on stdout.
//   floor --dests N --payload B --pps P --seconds S --profile cm|gcm --send naive|mmsg|gso|null
//         [--crypto evp|own] [--batch 64] [--burst 4] [--sink unread|read|none] [--reader-core C] [--base 20000]
// pps 0: flat out, ingress packets made in memory. pps>0: a forked source sends real SRTP in bursts of --burst packets.
// naive: a sendto per packet, EVP per packet (--crypto evp by default). mmsg: sendmmsg of --batch. gso: the packets of one ingress
// burst go to a destination as one UDP_SEGMENT message, --batch messages a sendmmsg. null: everything but the send.
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED
#include "util.h"
#include "srtpx.h"
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/core_names.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/epoll.h>
#include <sched.h>
#include <signal.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <netinet/udp.h>

enum { MAXN = 4096, MAXBURST = 32, SLOT = 1536, MAXB = 1024 };
typedef struct { // all a destination needs on the hot path, one block
  cm_t cm; gcm_t gcm; EVP_CIPHER_CTX *ctr, *aead; SHA_CTX si, so; struct sockaddr_in to; uint32_t ssrc, roc, ts_off; uint16_t seq_off; uint64_t packets, bytes;
} dest_t;
static dest_t *D, *in; static int N = 100, payload = 1100, batch = 64, burst = 4, base = 20000, gcm = 1, own = -1, rxs, txs; static double pps = 0, secs = 3;
static const char *sendmode = "mmsg", *sink = "unread"; 
static long forwarded, ingress, syscalls, senderr;
static uint8_t (*out)[SLOT]; static struct mmsghdr mm[MAXB]; static struct iovec iov[MAXB]; static uint8_t ctl[MAXB][CMSG_SPACE(2)] __attribute__((aligned(8)));

static void mkctx(dest_t *d, int id) {
  uint8_t m[30], k[16], ak[20], s14[14] = {0}, b[64], iv[16] = {0};
  for (int i = 0; i < 30; i++) m[i] = (id * 31 + i * 7 + 1) * 0x9d >> 2;
  cm_init(&d->cm, m); gcm_init(&d->gcm, m); memcpy(s14, m + 16, 12);
  srtp_kdf(m, m + 16, 0, k, 16); d->ctr = EVP_CIPHER_CTX_new(); EVP_EncryptInit_ex(d->ctr, EVP_aes_128_ctr(), 0, k, iv);
  srtp_kdf(m, s14, 0, k, 16); d->aead = EVP_CIPHER_CTX_new(); EVP_EncryptInit_ex(d->aead, EVP_aes_128_gcm(), 0, k, iv);
  srtp_kdf(m, m + 16, 1, ak, 20);
  for (int o = 0; o < 2; o++) { memset(b, o ? 0x5c : 0x36, 64); for (int i = 0; i < 20; i++) b[i] ^= ak[i]; SHA_CTX *s = o ? &d->so : &d->si; SHA1_Init(s); SHA1_Update(s, b, 64); }
  d->ssrc = 0x10000 + id; d->seq_off = id * 77; d->ts_off = id * 1234567u;
}
static int evp_protect(dest_t *d, uint8_t *o, const uint8_t *src, int n, uint16_t seq) {
  uint8_t iv[16]; int l;
  if (gcm) { EVP_CIPHER_CTX *c = d->aead; _mm_storeu_si128((__m128i *)iv, gcm_iv(&d->gcm, d->ssrc, d->roc, seq));
    EVP_EncryptInit_ex(c, 0, 0, 0, iv); EVP_EncryptUpdate(c, 0, &l, o, 12); EVP_EncryptUpdate(c, o + 12, &l, src, n); EVP_EncryptFinal_ex(c, o + 12 + n, &l); EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, o + 12 + n); return n + 28; }
  uint8_t t[20], rb[4]; _mm_storeu_si128((__m128i *)iv, cm_iv(&d->cm, d->ssrc, d->roc, seq)); wbe32(rb, d->roc);
  EVP_EncryptInit_ex(d->ctr, 0, 0, 0, iv); EVP_EncryptUpdate(d->ctr, o + 12, &l, src, n);
  SHA_CTX s = d->si; SHA1_Update(&s, o, 12 + n); SHA1_Update(&s, rb, 4); SHA1_Final(t, &s); s = d->so; SHA1_Update(&s, t, 20); SHA1_Final(t, &s); memcpy(o + 12 + n, t, 10); return n + 22;
}
static inline uint16_t rewrite(dest_t *d, uint8_t *o, const uint8_t *pkt) {
  uint16_t seq = (pkt[2] << 8 | pkt[3]) + d->seq_off; o[0] = pkt[0]; o[1] = pkt[1]; o[2] = seq >> 8; o[3] = seq; wbe32(o + 4, be32(pkt + 4) + d->ts_off); wbe32(o + 8, d->ssrc);
  if (!seq && d->packets) d->roc++; // no reordering here
  d->packets++; return seq;
}
// protect `cnt` (destination, packet) pairs into o[]; plaintext payload length n, the same for all
static void protect_many(dest_t **d, const uint8_t **pk, uint8_t **o, int cnt, int n) {
  uint16_t seq[MAXB]; int i = 0;
  for (i = 0; i < cnt; i++) { seq[i] = rewrite(d[i], o[i], pk[i]); d[i]->bytes += n; }
  i = 0;
  if (!own) { for (; i < cnt; i++) evp_protect(d[i], o[i], pk[i] + 12, n, seq[i]); return; }
  if (gcm) { for (; i < cnt; i++) gcm_protect(&d[i]->gcm, o[i], 12, pk[i] + 12, n, d[i]->ssrc, d[i]->roc, seq[i]); return; }
  for (; i + 3 <= cnt; i += 3) { const cm_t *c[3]; uint32_t roc[3];
    for (int w = 0; w < 3; w++) { c[w] = &d[i + w]->cm; roc[w] = d[i + w]->roc; cm_encrypt(c[w], o[i + w], 12, pk[i + w] + 12, n, d[i + w]->ssrc, roc[w], seq[i + w]); }
    hmac3(c, o + i, 12 + n, roc); }
  for (; i < cnt; i++) cm_protect(&d[i]->cm, o[i], 12, pk[i] + 12, n, d[i]->ssrc, d[i]->roc, seq[i]);
}
static void flush(int n) {
  for (int o = 0; o < n; ) { int r = sendmmsg(txs, mm + o, n - o, 0); syscalls++; if (r < 0) { senderr++; o++; } else o += r; }
}
// forward k plaintext packets of n payload bytes each to all destinations
static void forward(const uint8_t **pk, int k, int n) {
  static dest_t *dd[MAXB]; static const uint8_t *pp[MAXB]; static uint8_t *oo[MAXB]; int full = 12 + n + (gcm ? 16 : 10), null = !strcmp(sendmode, "null");
  if (!strcmp(sendmode, "naive")) {
    for (int j = 0; j < k; j++) for (int i = 0; i < N; i++) { dest_t *d = &D[i]; protect_many(&d, &pk[j], (uint8_t *[]){out[0]}, 1, n); if (sendto(txs, out[0], full, 0, (void *)&d->to, sizeof d->to) < 0) senderr++; syscalls++; }
  } else if (!strcmp(sendmode, "gso")) { // destination-major: out holds k packets back to back per destination
    int per = batch; if (per * k > MAXB) per = MAXB / k;
    for (int i = 0; i < N; i += per) { int m = N - i < per ? N - i : per, c = 0;
      for (int q = 0; q < m; q++) { uint8_t *b = (uint8_t *)out + (size_t)q * k * full; for (int j = 0; j < k; j++, c++) { dd[c] = &D[i + q]; pp[c] = pk[j]; oo[c] = b + j * full; }
        iov[q] = (struct iovec){b, (size_t)k * full}; mm[q].msg_hdr.msg_name = &D[i + q].to; struct msghdr *h = &mm[q].msg_hdr;
        if (k > 1) { h->msg_control = ctl[q]; h->msg_controllen = CMSG_SPACE(2); struct cmsghdr *cm = CMSG_FIRSTHDR(h); cm->cmsg_level = SOL_UDP; cm->cmsg_type = UDP_SEGMENT; cm->cmsg_len = CMSG_LEN(2); *(uint16_t *)CMSG_DATA(cm) = full; } else h->msg_controllen = 0; }
      protect_many(dd, pp, oo, c, n); flush(m); }
  } else {
    for (int j = 0; j < k; j++) for (int i = 0; i < N; i += batch) { int m = N - i < batch ? N - i : batch;
      for (int q = 0; q < m; q++) { dd[q] = &D[i + q]; pp[q] = pk[j]; oo[q] = out[q]; iov[q] = (struct iovec){out[q], full}; mm[q].msg_hdr.msg_name = &D[i + q].to; }
      protect_many(dd, pp, oo, m, n); if (!null) flush(m); }
  }
  forwarded += (long)N * k; ingress += k;
}
static void source(struct sockaddr_in *to) { // child: SRTP bursts at pps
  prctl(PR_SET_PDEATHSIG, SIGKILL); uint8_t b[MAXBURST][SLOT], pl[SLOT]; struct mmsghdr m[MAXBURST]; struct iovec v[MAXBURST]; int s = socket(AF_INET, SOCK_DGRAM, 0); uint16_t seq = 0; memset(pl, 5, sizeof pl); memset(m, 0, sizeof m);
  double t0 = wall_ns(); long sent = 0;
  for (;;) { double now = wall_ns(), due = t0 + sent / pps * 1e9; if (now < due) { struct timespec ts = {0, (long)(due - now)}; if (due - now > 5e4) nanosleep(&ts, 0); continue; }
    for (int j = 0; j < burst; j++) { uint8_t h[12] = {0x80, 96, seq >> 8, seq, 0, 0, 0, 1}; memcpy(b[j], h, 12); wbe32(b[j] + 8, in->ssrc); int l = gcm ? gcm_protect(&in->gcm, b[j], 12, pl, payload, in->ssrc, in->roc, seq) : cm_protect(&in->cm, b[j], 12, pl, payload, in->ssrc, in->roc, seq);
      if (!++seq) in->roc++;
      v[j] = (struct iovec){b[j], l}; m[j].msg_hdr = (struct msghdr){.msg_name = to, .msg_namelen = sizeof *to, .msg_iov = &v[j], .msg_iovlen = 1}; }
    sendmmsg(s, m, burst, 0); sent += burst; }
}
// child: empties the receivers' sockets as the load generator does: between looks it naps and waits for nothing, so the sender wakes nobody
static void reader(const int *fds, int core) {
  prctl(PR_SET_PDEATHSIG, SIGKILL); prctl(PR_SET_TIMERSLACK, 1000ul);
  if (core >= 0) { cpu_set_t c; CPU_ZERO(&c); CPU_SET(core, &c); if (sched_setaffinity(0, sizeof c, &c)) DIE("core %d", core); }
  static uint8_t b[32][64]; static struct mmsghdr m[32]; static struct iovec v[32]; struct epoll_event ev[1024]; int ep = epoll_create1(0);
  for (int i = 0; i < 32; i++) { v[i] = (struct iovec){b[i], sizeof b[i]}; m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1}; }
  for (int i = 0; i < N; i++) { struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.fd = fds[i]}; if (epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e)) DIE("epoll"); }
  for (;;) { int k = epoll_wait(ep, ev, 1024, 0);
    for (int i = 0; i < k; i++) while (recvmmsg(ev[i].data.fd, m, 32, MSG_DONTWAIT | MSG_TRUNC, 0) > 0);
    nanosleep(&(struct timespec){0, 50000}, 0); }
}
int main(int ac, char **av) {
  const char *prof = "gcm", *crypto = 0; int core = -1, rds[MAXN];
  for (int i = 1; i + 1 < ac; i += 2) { const char *o = av[i], *v = av[i + 1];
    if (!strcmp(o, "--dests")) N = atoi(v); else if (!strcmp(o, "--payload")) payload = atoi(v); else if (!strcmp(o, "--pps")) pps = atof(v); else if (!strcmp(o, "--seconds")) secs = atof(v); else if (!strcmp(o, "--profile")) prof = v;
    else if (!strcmp(o, "--send")) sendmode = v; else if (!strcmp(o, "--crypto")) crypto = v; else if (!strcmp(o, "--batch")) batch = atoi(v); else if (!strcmp(o, "--burst")) burst = atoi(v); else if (!strcmp(o, "--sink")) sink = v; else if (!strcmp(o, "--reader-core")) core = atoi(v); else if (!strcmp(o, "--base")) base = atoi(v); else DIE("unknown option %s", o); }
  gcm = !strcmp(prof, "gcm"); own = crypto ? !strcmp(crypto, "own") : strcmp(sendmode, "naive") != 0;
  if (N > MAXN || burst > MAXBURST || payload > 1400 || batch > MAXB) DIE("too big");
  D = aligned_alloc(64, sizeof *D * (N + 1) + 64); memset(D, 0, sizeof *D * (N + 1)); in = &D[N]; mkctx(in, 9999); out = aligned_alloc(4096, (size_t)MAXB * SLOT);
  txs = socket(AF_INET, SOCK_DGRAM, 0); int sb = 4 << 20, rb = 1; setsockopt(txs, SOL_SOCKET, SO_SNDBUF, &sb, sizeof sb); const char *dip = getenv("DSTIP") ? getenv("DSTIP") : "127.0.0.1";
  struct sockaddr_in lo = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, me; socklen_t ml = sizeof me; if (bind(txs, (void *)&lo, sizeof lo)) DIE("bind"); getsockname(txs, (void *)&me, &ml); rxs = txs;
  setsockopt(rxs, SOL_SOCKET, SO_RCVBUF, &sb, sizeof sb);
  for (int i = 0; i < N; i++) { mkctx(&D[i], i); D[i].to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(base + i), .sin_addr.s_addr = inet_addr(dip)};
    if (strcmp(sink, "none")) { int s = rds[i] = socket(AF_INET, SOCK_DGRAM, 0); setsockopt(s, SOL_SOCKET, SO_RCVBUF, *sink == 'r' ? &sb : &rb, sizeof rb); if (bind(s, (void *)&D[i].to, sizeof lo)) DIE("bind %d", base + i); } }
  for (int i = 0; i < MAXB; i++) mm[i].msg_hdr = (struct msghdr){.msg_namelen = sizeof lo, .msg_iov = &iov[i], .msg_iovlen = 1};
  pid_t rd = 0; if (*sink == 'r' && !(rd = fork())) reader(rds, core);
  pid_t src = 0; if (pps > 0 && !(src = fork())) source(&me);
  struct rusage r0, r1; static uint8_t ib[64][SLOT]; struct mmsghdr im[64]; struct iovec iv[64]; const uint8_t *pk[64]; memset(im, 0, sizeof im);
  for (int i = 0; i < 64; i++) { iv[i] = (struct iovec){ib[i], SLOT}; im[i].msg_hdr.msg_iov = &iv[i]; im[i].msg_hdr.msg_iovlen = 1; }
  double t0 = wall_ns(), c0 = cpu_ns(), end = t0 + secs * 1e9; getrusage(RUSAGE_SELF, &r0); uint16_t seq = 0, last = 0; long bad = 0; int any = 0;
  struct timeval tv = {0, 100000}; setsockopt(rxs, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  while (wall_ns() < end) { int k;
    if (pps <= 0) { k = burst; for (int j = 0; j < k; j++, seq++) { uint8_t h[12] = {0x80, 96, seq >> 8, seq, 0, 0, 0, 1}; memcpy(ib[j], h, 12); pk[j] = ib[j]; } forward(pk, k, payload); continue; }
    int g = recvmmsg(rxs, im, 64, MSG_WAITFORONE, 0); syscalls++; if (g <= 0) continue; k = 0;
    for (int j = 0; j < g; j++) { uint8_t *p = ib[j]; uint16_t sq = p[2] << 8 | p[3]; int l = im[j].msg_len; if (any && (uint16_t)(sq - last) < 0x8000 && sq < last) in->roc++; last = sq; any = 1;
      l = gcm ? gcm_unprotect(&in->gcm, p, 12, l, in->ssrc, in->roc, sq) : cm_unprotect(&in->cm, p, 12, l, in->ssrc, in->roc, sq); if (l < 0) { bad++; continue; } pk[k++] = p; }
    for (int o = 0; o < k; o += MAXBURST) forward(pk + o, k - o < MAXBURST ? k - o : MAXBURST, payload); }
  double cpu = cpu_ns() - c0, wall = wall_ns() - t0; getrusage(RUSAGE_SELF, &r1); if (src > 0) { kill(src, SIGKILL); waitpid(src, 0, 0); } if (rd > 0) { kill(rd, SIGKILL); waitpid(rd, 0, 0); }
  double us = (r1.ru_utime.tv_sec - r0.ru_utime.tv_sec) * 1e6 + r1.ru_utime.tv_usec - r0.ru_utime.tv_usec, ss = (r1.ru_stime.tv_sec - r0.ru_stime.tv_sec) * 1e6 + r1.ru_stime.tv_usec - r0.ru_stime.tv_usec;
  printf("{\"impl\":\"c\",\"dests\":%d,\"payload\":%d,\"pps\":%.0f,\"profile\":\"%s\",\"send\":\"%s\",\"crypto\":\"%s\",\"batch\":%d,\"burst\":%d,\"sink\":\"%s\",\"ingress\":%ld,\"forwarded\":%ld,\"auth_failures\":%ld,\"send_errors\":%ld,\"syscalls\":%ld,\"cpu_us_per_pkt\":%.3f,\"user_us_per_pkt\":%.3f,\"pkts_per_cpu_s\":%.0f,\"cpu_s\":%.3f,\"wall_s\":%.3f}\n",
    N, payload, pps, prof, sendmode, own ? "own" : "evp", batch, burst, sink, ingress, forwarded, bad, senderr, syscalls, cpu / 1e3 / forwarded, cpu / 1e3 / forwarded * us / (us + ss), forwarded / (cpu / 1e9), cpu / 1e9, wall / 1e9);
}
