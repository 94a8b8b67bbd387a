// linkem: a link between two network namespaces, emulated in user space, for kernels without sch_netem.
// It opens a TAP device in each, so that browsers see an Ethernet-like interface, and carries frames between them.
//
//   gcc -O2 -o linkem linkem.c
//   linkem nsa=NAME nsb=NAME [a=10.99.0.1 b=10.99.0.2] [mtu=1500] [seed=1] [up.KEY=VALUE] [down.KEY=VALUE] [both.KEY=VALUE]
//
// "up" is from nsa to nsb, "down" from nsb to nsa. Keys: delay, jitter, queue (ms); loss, dup, reorder (%); rate (kbit/s);
// burst (mean length of a burst of losses); block (an IPv4 protocol that does not pass, as behind a firewall: 17 is UDP), only (a TCP port: of IPv4, nothing else passes). Random numbers come from the seed. It prints "up" when the link stands. The
// same pairs on standard input change the link while it runs; "stats" prints counters; "quit", or the end of the input
// with eof=1, ends it.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <unistd.h>
#include <fcntl.h>
#include <errno.h>
#include <sched.h>
#include <poll.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/prctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <linux/if_tun.h>

typedef struct packet {
    struct packet *next;
    int64_t due;
    int len;
    uint8_t d[];
} packet;

typedef struct {
    double delay, jitter, loss, dup, reorder, rate, queue, burst, block, only;
    int64_t free_at, last_due;
    packet *head;
    long in, out, lost, tail, dups, reordered, bytes;
    int in_burst;
    uint64_t r;
} direction;

static direction directions[2];
static int tap[2];

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static double next_random(direction *d) {
    d->r ^= d->r << 13;
    d->r ^= d->r >> 7;
    d->r ^= d->r << 17;
    return (d->r >> 11) / 9007199254740992.0;
}

static int open_tap(const char *ns, const char *name, const char *ip, int mtu) {
    char p[128];
    int self = open("/proc/self/ns/net", O_RDONLY);
    snprintf(p, 128, "/var/run/netns/%s", ns);
    int n = open(p, O_RDONLY);
    if (n < 0 || setns(n, CLONE_NEWNET)) {
        perror(p);
        exit(1);
    }
    close(n);
    int f = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    struct ifreq r;
    memset(&r, 0, sizeof r);
    r.ifr_flags = IFF_TAP | IFF_NO_PI;
    strcpy(r.ifr_name, name);
    if (ioctl(f, TUNSETIFF, &r)) {
        perror("TUNSETIFF");
        exit(1);
    }
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in *a = (void *)&r.ifr_addr;
    a->sin_family = AF_INET;
    inet_pton(AF_INET, ip, &a->sin_addr);
    ioctl(s, SIOCSIFADDR, &r);
    inet_pton(AF_INET, "255.255.255.0", &a->sin_addr);
    ioctl(s, SIOCSIFNETMASK, &r);
    r.ifr_mtu = mtu;
    ioctl(s, SIOCSIFMTU, &r);
    r.ifr_qlen = 1000;
    ioctl(s, SIOCSIFTXQLEN, &r);
    ioctl(s, SIOCGIFFLAGS, &r);
    r.ifr_flags |= IFF_UP | IFF_RUNNING;
    ioctl(s, SIOCSIFFLAGS, &r);
    memset(&r, 0, sizeof r);
    strcpy(r.ifr_name, "lo");
    ioctl(s, SIOCGIFFLAGS, &r);
    r.ifr_flags |= IFF_UP;
    ioctl(s, SIOCSIFFLAGS, &r);
    close(s);
    setns(self, CLONE_NEWNET);
    close(self);
    return f;
}

static int set_value(char *k) {
    char *e = strchr(k, '=');
    if (!e)
        return 0;
    *e = 0;
    double v = atof(e + 1);
    int ok = 1;
    for (int i = 0; i < 2; i++) {
        const char *pf = i ? "down." : "up.";
        int l = strlen(pf);
        char *q = k;
        if (!strncmp(k, pf, l))
            q = k + l;
        else if (strncmp(k, "both.", 5))
            continue;
        else
            q = k + 5;
        direction *d = &directions[i];
        if (!strcmp(q, "delay"))
            d->delay = v;
        else if (!strcmp(q, "jitter"))
            d->jitter = v;
        else if (!strcmp(q, "loss"))
            d->loss = v;
        else if (!strcmp(q, "dup"))
            d->dup = v;
        else if (!strcmp(q, "reorder"))
            d->reorder = v;
        else if (!strcmp(q, "rate"))
            d->rate = v;
        else if (!strcmp(q, "queue"))
            d->queue = v;
        else if (!strcmp(q, "burst"))
            d->burst = v;
        else if (!strcmp(q, "block"))
            d->block = v;
        else if (!strcmp(q, "only"))
            d->only = v;
        else
            ok = 0;
    }
    *e = '=';
    return ok;
}

static void enqueue(direction *d, packet *p) {
    packet **q = &d->head;
    while (*q && (*q)->due <= p->due)
        q = &(*q)->next;
    p->next = *q;
    *q = p;
}

static void receive(direction *d, uint8_t *b, int n) {
    int64_t t = now();
    d->in++;
    if (d->block > 0 && n > 23 && b[12] == 8 && b[13] == 0 && b[23] == (uint8_t)d->block) {
        d->lost++;
        return;
    }
    if (d->only > 0 && n > 37 && b[12] == 8 && b[13] == 0) {
        int at = 14 + (b[14] & 15) * 4;
        int known = b[23] == 6 && at + 4 <= n
            && ((b[at] << 8 | b[at + 1]) == (int)d->only || (b[at + 2] << 8 | b[at + 3]) == (int)d->only);
        if (!known) {
            d->lost++;
            return;
        }
    }
    if (d->loss > 0) {
        int l;
        if (d->burst > 1) {
            double pr = d->in_burst ? 1.0 - 1.0 / d->burst : (d->loss / 100) / (d->burst * (1 - d->loss / 100));
            d->in_burst = l = next_random(d) < pr;
        } else
            l = next_random(d) < d->loss / 100;
        if (l) {
            d->lost++;
            return;
        }
    }
    int64_t dep = t;
    if (d->rate > 0) {
        int64_t tx = (int64_t)(n * 8e6 / d->rate);
        int64_t st = d->free_at > t ? d->free_at : t;
        if (st - t > (int64_t)((d->queue > 0 ? d->queue : 200) * 1e6)) {
            d->tail++;
            return;
        }
        d->free_at = dep = st + tx;
    }
    int copies = 1;
    if (d->dup > 0 && next_random(d) < d->dup / 100) {
        d->dups++;
        copies = 2;
    }
    for (int c = 0; c < copies; c++) {
        packet *p = malloc(sizeof *p + n);
        memcpy(p->d, b, n);
        p->len = n;
        p->due = dep + (int64_t)(d->delay * 1e6) + (int64_t)(d->jitter * 1e6 * next_random(d));
        if (d->reorder > 0 && next_random(d) < d->reorder / 100) {
            p->due = dep;
            d->reordered++;
        } else {
            if (p->due < d->last_due)
                p->due = d->last_due;
            d->last_due = p->due;
        }
        enqueue(d, p);
    }
}

static void stats(void) {
    for (int i = 0; i < 2; i++)
        printf("%s in %ld out %ld lost %ld tail-drop %ld dup %ld reordered %ld bytes-out %ld\n", i ? "down" : "up",
               directions[i].in, directions[i].out, directions[i].lost, directions[i].tail, directions[i].dups,
               directions[i].reordered, directions[i].bytes);
    fflush(stdout);
}

int main(int c, char **v) {
    const char *na = 0, *nb = 0, *a = "10.99.0.1", *b = "10.99.0.2";
    int mtu = 1500, eof = 0;
    uint64_t seed = 1;
    for (int i = 1; i < c; i++) {
        if (!strncmp(v[i], "nsa=", 4))
            na = v[i] + 4;
        else if (!strncmp(v[i], "nsb=", 4))
            nb = v[i] + 4;
        else if (!strncmp(v[i], "a=", 2))
            a = v[i] + 2;
        else if (!strncmp(v[i], "b=", 2))
            b = v[i] + 2;
        else if (!strncmp(v[i], "mtu=", 4))
            mtu = atoi(v[i] + 4);
        else if (!strncmp(v[i], "seed=", 5))
            seed = atoll(v[i] + 5);
        else if (!strncmp(v[i], "eof=", 4))
            eof = atoi(v[i] + 4);
        else if (!set_value(v[i])) {
            fprintf(stderr, "? %s\n", v[i]);
            return 1;
        }
    }
    if (!na || !nb) {
        fprintf(stderr, "nsa= nsb=\n");
        return 1;
    }
    for (int i = 0; i < 2; i++)
        directions[i].r = seed * 0x9E3779B97F4A7C15ULL + i * 7919 + 1;
    prctl(PR_SET_TIMERSLACK, 1000);
    tap[0] = open_tap(na, "lem0", a, mtu);
    tap[1] = open_tap(nb, "lem0", b, mtu);
    printf("up\n");
    fflush(stdout);
    int input_open = 1;
    for (;;) {
        int64_t t = now(), nx = t + 1000000000LL;
        for (int i = 0; i < 2; i++) {
            while (directions[i].head && directions[i].head->due <= t) {
                packet *p = directions[i].head;
                directions[i].head = p->next;
                if (write(tap[!i], p->d, p->len) > 0) {
                    directions[i].out++;
                    directions[i].bytes += p->len;
                }
                free(p);
            }
            if (directions[i].head && directions[i].head->due < nx)
                nx = directions[i].head->due;
        }
        struct pollfd q[3] = {{tap[0], POLLIN, 0}, {tap[1], POLLIN, 0}, {input_open ? 0 : -1, POLLIN, 0}};
        int64_t w = nx - now();
        if (w < 0)
            w = 0;
        struct timespec ts = {w / 1000000000, w % 1000000000};
        ppoll(q, 3, &ts, 0);
        for (int i = 0; i < 2; i++)
            if (q[i].revents & POLLIN)
                for (int k = 0; k < 64; k++) {
                    uint8_t buf[65536];
                    int n = read(tap[i], buf, sizeof buf);
                    if (n <= 0)
                        break;
                    if (n < 14)
                        continue;
                    if (buf[12] == 8 && buf[13] == 6) {
                        // ARP passes untouched; a full device queue loses it as a wire would.
                        ssize_t ignored = write(tap[!i], buf, n);
                        (void)ignored;
                        continue;
                    }
                    receive(&directions[i], buf, n);
                }
        if (input_open && (q[2].revents & (POLLIN | POLLHUP))) {
            char l[512];
            int n = read(0, l, 511);
            if (n <= 0) {
                input_open = 0;
                if (eof) {
                    stats();
                    return 0;
                }
            } else {
                l[n] = 0;
                for (char *s = strtok(l, " \n"); s; s = strtok(0, " \n")) {
                    if (!strcmp(s, "quit")) {
                        stats();
                        return 0;
                    } else if (!strcmp(s, "stats"))
                        stats();
                    else if (!set_value(s))
                        printf("? %s\n", s);
                }
            }
        }
    }
}
