/* SPDX-License-Identifier: MPL-2.0 */
/* What forwarding costs: the same plain PUB and SUB sockets with nothing, with libzmq's
 * zmq_proxy(), and with a tulle proxy between them. Each event is a batch of its own, to all
 * three the same bytes: a key frame and a batch frame, to which a tulle proxy adds its path;
 * or those and a path, which it extends. Sender, forwarder and receiver are
 * processes; the receiver gives the sender credit, so that nothing is ever lost, and a run
 * in which something is ends with 1. Prints lines "name key=value ...": medians of several
 * rounds, in each of which all three take their turn. */

#define _DEFAULT_SOURCE 1 /* MAP_ANONYMOUS */

#include "base/buf.h"
#include "base/panic.h"
#include "bench_clock.h"
#include "codec/batch.h"
#include "codec/limits.h"
#include "companion.h"

#include <tulle/tulle.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

enum {
    ROUNDS = 7,
    CREDIT = 100,      /* events that the receiver gives credit for at a time, */
    WINDOW = 400,      /* of at most so many: no queue on the way is full with them */
    TURN_EVERY = 2000, /* events between two looks at what is not an event */
    LATENCIES_MAX = 1000000,
    ADDRESS_LEN = 128,
    DEADLINE_S = 60,
    RETAIN_BYTES = 16 * 1024 * 1024 /* by default */
};

enum via { DIRECT, ZMQ_PROXY, TULLE_PROXY, VIA_COUNT };
static const char *const via_names[VIA_COUNT] = { "nothing", "zmq_proxy", "tulle_proxy" };

struct work {
    enum via via;
    unsigned frames; /* of a message: key and batch; 3: and a path, as behind a proxy */
    size_t size;     /* of a payload */
    uint64_t events; /* that count */
    unsigned rate;   /* events a second; 0: as fast as can be */
};

/* Events before those that count: at full speed as many as fill what a proxy keeps. */
static uint64_t
warm_of(const struct work *work)
{
    return work->events / 10 + (work->rate == 0 ? RETAIN_BYTES / work->size : 0);
}

/* What the processes of one run share. */
struct shared {
    char in[ADDRESS_LEN];   /* where the sender connects; of a tulle proxy, its control address */
    char out[ADDRESS_LEN];  /* where the receiver does */
    atomic_int ready;       /* addresses are there */
    atomic_bool is_through; /* something arrived */
    atomic_bool is_over;
    pid_t forwarder;
    /* The result. */
    int64_t wall_ns;
    int64_t forwarder_cpu_ns;
    int64_t all_cpu_ns;
    uint64_t lost;
    size_t latency_count;
    int64_t latency_ns[LATENCIES_MAX];
};

static struct shared *shared;
static int credit_fd;
static pid_t sender_pid;

static void
pause_us(long us)
{
    struct timespec pause = { .tv_nsec = us * 1000 };
    (void)nanosleep(&pause, NULL);
}

static void
wait_for(atomic_int *value, int least)
{
    while (atomic_load(value) < least)
        pause_us(200);
}

static void *
open_socket(void *context, int type)
{
    int zero = 0;
    void *socket = zmq_socket(context, type);
    TULLE_ASSERT(socket != NULL);
    TULLE_ASSERT(zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero) == 0);
    TULLE_ASSERT(zmq_setsockopt(socket, ZMQ_SNDHWM, &zero, sizeof zero) == 0);
    TULLE_ASSERT(zmq_setsockopt(socket, ZMQ_RCVHWM, &zero, sizeof zero) == 0);
    return socket;
}

static void
bind_socket(void *socket, char address[static ADDRESS_LEN])
{
    size_t len = ADDRESS_LEN;
    TULLE_ASSERT(zmq_bind(socket, "tcp://127.0.0.1:*") == 0);
    TULLE_ASSERT(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, address, &len) == 0);
}

/* ---- forwarders: never return ---- */

static void
run_zmq_proxy(void)
{
    void *context = zmq_ctx_new();
    void *front = open_socket(context, ZMQ_XSUB);
    void *back = open_socket(context, ZMQ_XPUB);
    bind_socket(front, shared->in);
    bind_socket(back, shared->out);
    atomic_store(&shared->ready, 1);
    (void)zmq_proxy(front, back, NULL);
}

static void
run_tulle_proxy(void)
{
    tulle_proxy_options options;
    tulle_proxy *proxy = NULL;
    tulle_error error;
    tulle_proxy_options_init(&options);
    options.mesh = "bench";
    options.segment_count = 2;
    for (size_t i = 0; i < 2; i++) {
        tulle_segment_options_init(&options.segments[i]);
        options.segments[i].name = i == 0 ? "in" : "out";
        options.segments[i].listen[0] = "tcp://127.0.0.1:*";
        options.segments[i].listen_count = 1;
    }
    TULLE_ASSERT(tulle_proxy_new(&options, &proxy, &error) == TULLE_OK);
    TULLE_ASSERT(tulle_proxy_start(proxy, &error) == TULLE_OK);
    (void)snprintf(shared->in, ADDRESS_LEN, "%s", tulle_proxy_address(proxy, 0));
    (void)snprintf(shared->out, ADDRESS_LEN, "%s", tulle_proxy_address(proxy, 1));
    atomic_store(&shared->ready, 1);
    while (true)
        (void)pause();
}

/* ---- sender ---- */

struct sender {
    void *pub;
    struct companion *companion; /* NULL: none is needed */
    uint8_t *batch;
    size_t batch_len;
    struct tulle__buf *path; /* NULL: none is sent */
    uint8_t *seq_at;         /* places in it that change */
    uint8_t *stamp_at;
    uint64_t seq;
    uint64_t credit;
};

static const char key[] = "bench"; /* with the zero byte */

static void
put_u64(uint8_t *to, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* A batch of one event, whose seq and payload begin with eight bytes to be written. */
static void
make_batch(struct sender *s, uint64_t node, size_t size)
{
    const uint64_t seq = TULLE__SEQ_MAX / 2; /* all its bytes are written */
    struct tulle__writer events;
    struct tulle__writer scratch;
    tulle__writer_init(&events);
    tulle__writer_init(&scratch);
    uint8_t *payload = calloc(1, size);
    TULLE_ASSERT(payload != NULL);
    memset(payload, 0xee, sizeof(uint64_t));
    tulle__event_encode(&events, (struct tulle__view){ NULL, 0 }, 0,
                        (struct tulle__view){ payload, size }, NULL);
    struct tulle__batch_head head = {
        .node = node, .first_seq = seq, .base_hlc = UINT64_MAX / 2, .event_count = 1
    };
    struct tulle__buf *buf = tulle__batch_encode(&head, &events, &scratch);
    TULLE_ASSERT(buf != NULL);
    s->batch_len = buf->len;
    s->batch = malloc(buf->len);
    TULLE_ASSERT(s->batch != NULL);
    memcpy(s->batch, buf->data, buf->len);
    uint8_t bytes[8];
    put_u64(bytes, seq);
    for (size_t i = 0; i + 8 <= buf->len && s->seq_at == NULL; i++) {
        if (memcmp(s->batch + i, bytes, 8) == 0)
            s->seq_at = s->batch + i;
    }
    TULLE_ASSERT(s->seq_at != NULL);
    s->stamp_at = s->batch + s->batch_len - size;
    tulle__buf_unref(&buf);
    tulle__writer_fini(&events);
    tulle__writer_fini(&scratch);
    free(payload);
}

static struct tulle__buf *
make_path(void)
{
    uint64_t passed = TULLE__NODE_ID_MIN + 1;
    struct tulle__writer writer;
    tulle__writer_init(&writer);
    tulle__path_encode(&writer, &passed, 1);
    struct tulle__buf *path = tulle__writer_take(&writer);
    tulle__writer_fini(&writer);
    TULLE_ASSERT(path != NULL);
    return path;
}

static void
send_event(struct sender *s)
{
    zmq_msg_t body;
    put_u64(s->seq_at, ++s->seq);
    TULLE_ASSERT(zmq_msg_init_size(&body, s->batch_len) == 0);
    memcpy(zmq_msg_data(&body), s->batch, s->batch_len);
    TULLE_ASSERT(zmq_send(s->pub, key, sizeof key, ZMQ_SNDMORE) >= 0);
    TULLE_ASSERT(zmq_msg_send(&body, s->pub, s->path != NULL ? ZMQ_SNDMORE : 0) >= 0);
    if (s->path != NULL)
        TULLE_ASSERT(zmq_send(s->pub, s->path->data, s->path->len, 0) >= 0);
}

static void
turn(struct companion *companion)
{
    if (companion != NULL)
        companion_turn(companion);
}

static void
take_credit(struct sender *s)
{
    struct pollfd item = { .fd = credit_fd, .events = POLLIN };
    while (s->credit == 0) {
        uint64_t more;
        if (read(credit_fd, &more, sizeof more) == (ssize_t)sizeof more)
            s->credit += more;
        else if (poll(&item, 1, 10) == 0)
            turn(s->companion);
    }
    s->credit--;
}

static void
send_flood(struct sender *s, uint64_t events)
{
    s->credit = WINDOW;
    for (uint64_t i = 0; i < events; i++) {
        take_credit(s);
        if (i % TURN_EVERY == 0)
            turn(s->companion);
        send_event(s);
    }
}

static void
send_paced(struct sender *s, uint64_t events, unsigned rate)
{
    struct timespec due;
    (void)clock_gettime(CLOCK_MONOTONIC, &due);
    for (uint64_t i = 0; i < events; i++) {
        if (i % (rate / 100) == 0)
            turn(s->companion);
        due.tv_nsec += 1000000000 / (long)rate;
        if (due.tv_nsec >= 1000000000) {
            due.tv_nsec -= 1000000000;
            due.tv_sec++;
        }
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        put_u64(s->stamp_at, (uint64_t)bench_clock_ns(CLOCK_MONOTONIC));
        send_event(s);
    }
}

static void
run_sender(const struct work *work)
{
    struct sender s = { .pub = NULL };
    char address[ADDRESS_LEN] = "";
    void *context = zmq_ctx_new();
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
    s.pub = open_socket(context, ZMQ_PUB);
    if (work->via == ZMQ_PROXY)
        TULLE_ASSERT(zmq_connect(s.pub, shared->in) == 0);
    else
        bind_socket(s.pub, address);
    uint64_t node = TULLE__NODE_ID_MIN;
    if (work->via == TULLE_PROXY) {
        s.companion = companion_open(&(struct companion_options){
            .context = context, .pub = s.pub, .address = address, .join = shared->in });
        node = companion_id(s.companion);
    } else if (work->via == DIRECT) {
        memcpy(shared->out, address, sizeof address);
        atomic_store(&shared->ready, 1);
    }
    make_batch(&s, node, work->size);
    if (work->frames == 3)
        s.path = make_path();
    while (!atomic_load(&shared->is_through)) {
        put_u64(s.stamp_at, 0); /* it does not count */
        send_event(&s);
        turn(s.companion);
        pause_us(1000);
    }
    put_u64(s.stamp_at, 1);
    if (work->rate > 0)
        send_paced(&s, warm_of(work) + work->events, work->rate);
    else
        send_flood(&s, warm_of(work) + work->events);
    while (!atomic_load(&shared->is_over)) {
        turn(s.companion);
        pause_us(1000);
    }
    _exit(0);
}

/* ---- receiver ---- */

struct receiver {
    void *sub;
    struct companion *companion;
    size_t seq_at; /* place of the seq in a batch */
    size_t size;
    uint64_t last_seq;
    int64_t begin_ns;
    int64_t begin_forwarder_ns;
    int64_t begin_all_ns;
};

static int64_t
cpu_of(pid_t pid)
{
    clockid_t clock;
    if (pid == 0 || clock_getcpuclockid(pid, &clock) != 0)
        return 0;
    return bench_clock_ns(clock);
}

static int64_t
cpu_of_all(void)
{
    return cpu_of(sender_pid) + cpu_of(shared->forwarder) +
           bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* The stamp of the next event; false: none came for a while. */
static bool
receive_event(struct receiver *r, uint64_t *stamp)
{
    zmq_msg_t frame;
    (void)zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, r->sub, 0) < 0)
        return false;
    for (int i = 1; zmq_msg_more(&frame); i++) {
        TULLE_ASSERT(zmq_msg_recv(&frame, r->sub, 0) >= 0);
        if (i > 1)
            continue;
        const uint8_t *data = zmq_msg_data(&frame);
        size_t len = zmq_msg_size(&frame);
        uint64_t seq = tulle__load_u64(data + r->seq_at);
        *stamp = tulle__load_u64(data + len - r->size);
        if (r->last_seq != 0 && seq != r->last_seq + 1)
            shared->lost += seq - r->last_seq - 1;
        r->last_seq = seq;
    }
    (void)zmq_msg_close(&frame);
    return true;
}

static void
begin(struct receiver *r)
{
    r->begin_ns = bench_clock_ns(CLOCK_MONOTONIC);
    r->begin_forwarder_ns = cpu_of(shared->forwarder);
    r->begin_all_ns = cpu_of_all();
}

static void
receive_all(struct receiver *r, const struct work *work)
{
    uint64_t count = 0;
    while (count < warm_of(work) + work->events) {
        uint64_t stamp = 0;
        if (!receive_event(r, &stamp)) {
            turn(r->companion);
            continue;
        }
        if (!atomic_load_explicit(&shared->is_through, memory_order_relaxed))
            atomic_store(&shared->is_through, true);
        if (stamp == 0)
            continue; /* of those that only wait for the way to be there */
        if (++count == warm_of(work))
            begin(r);
        if (count % TURN_EVERY == 0)
            turn(r->companion);
        if (work->rate == 0 && count % CREDIT == 0) {
            uint64_t more = CREDIT;
            TULLE_ASSERT(write(credit_fd, &more, sizeof more) == (ssize_t)sizeof more);
        }
        if (work->rate > 0 && count > warm_of(work))
            shared->latency_ns[shared->latency_count++] =
                bench_clock_ns(CLOCK_MONOTONIC) - (int64_t)stamp;
    }
    shared->wall_ns = bench_clock_ns(CLOCK_MONOTONIC) - r->begin_ns;
    shared->forwarder_cpu_ns = cpu_of(shared->forwarder) - r->begin_forwarder_ns;
    shared->all_cpu_ns = cpu_of_all() - r->begin_all_ns;
}

static void
run_receiver(const struct work *work)
{
    struct sender like_the_senders = { .pub = NULL };
    make_batch(&like_the_senders, TULLE__NODE_ID_MIN + (UINT64_C(1) << 62), work->size);
    struct receiver r = { .seq_at = (size_t)(like_the_senders.seq_at - like_the_senders.batch),
                          .size = work->size };
    void *context = zmq_ctx_new();
    int timeout_ms = 10;
    r.sub = open_socket(context, ZMQ_SUB);
    TULLE_ASSERT(zmq_setsockopt(r.sub, ZMQ_SUBSCRIBE, key, sizeof key) == 0);
    TULLE_ASSERT(zmq_setsockopt(r.sub, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms) == 0);
    wait_for(&shared->ready, 1);
    const char *address = shared->out;
    if (work->via == TULLE_PROXY) {
        r.companion = companion_open(
            &(struct companion_options){ .context = context, .join = shared->out, .takes = key });
        while (companion_events_address(r.companion)[0] == '\0') {
            companion_turn(r.companion);
            pause_us(1000);
        }
        address = companion_events_address(r.companion);
    }
    TULLE_ASSERT(zmq_connect(r.sub, address) == 0);
    receive_all(&r, work);
    atomic_store(&shared->is_over, true);
    _exit(shared->lost == 0 ? 0 : 1);
}

/* ---- runs ---- */

static pid_t
start(void (*run)(const struct work *), const struct work *work)
{
    pid_t pid = fork();
    TULLE_ASSERT(pid >= 0);
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)alarm(DEADLINE_S);
    run(work);
    _exit(1);
}

static void
run_forwarder(const struct work *work)
{
    if (work->via == ZMQ_PROXY)
        run_zmq_proxy();
    else
        run_tulle_proxy();
}

static void
end(pid_t pid, bool is_to_be_good)
{
    int status;
    if (!is_to_be_good)
        (void)kill(pid, SIGTERM); /* which a profiler sees and writes what it has */
    TULLE_ASSERT(waitpid(pid, &status, 0) == pid);
    if (is_to_be_good && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        fprintf(stderr, "bench_forward: a run failed, %llu events were lost\n",
                (unsigned long long)shared->lost);
        exit(1);
    }
}

static void
run_once(const struct work *work)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TULLE_ASSERT(shared != MAP_FAILED);
    credit_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    TULLE_ASSERT(credit_fd >= 0);
    if (work->via != DIRECT) {
        shared->forwarder = start(run_forwarder, work);
        wait_for(&shared->ready, 1);
    }
    sender_pid = start(run_sender, work);
    pid_t receiver = start(run_receiver, work);
    end(receiver, true);
    end(sender_pid, false);
    if (shared->forwarder != 0)
        end(shared->forwarder, false);
    (void)close(credit_fd);
}

static void
end_run(void)
{
    (void)munmap(shared, sizeof *shared);
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double
median(const double *values)
{
    double sorted[ROUNDS];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, ROUNDS, sizeof sorted[0], compare_doubles);
    return sorted[ROUNDS / 2];
}

/* The median of what is had in each round, compared with what zmq_proxy() has there. */
static double
median_ratio(const double *values, const double *others)
{
    double ratios[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        ratios[i] = values[i] / others[i];
    return median(ratios);
}

/* The median of what is more than with nothing in between, in each round. */
static double
median_added(const double *values, const double *direct)
{
    double added[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        added[i] = values[i] - direct[i];
    return median(added);
}

static void
bench_throughput(unsigned frames, size_t size, uint64_t events)
{
    static double rates[VIA_COUNT][ROUNDS];
    static double cpu_us[VIA_COUNT][ROUNDS];
    static double all_us[VIA_COUNT][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < VIA_COUNT; i++) {
            int via = (round + i) % VIA_COUNT;
            struct work work = {
                .via = (enum via)via, .frames = frames, .size = size, .events = events
            };
            run_once(&work);
            rates[via][round] = (double)events * 1e9 / (double)shared->wall_ns;
            cpu_us[via][round] = (double)shared->forwarder_cpu_ns / 1000 / (double)events;
            all_us[via][round] = (double)shared->all_cpu_ns / 1000 / (double)events;
            end_run();
        }
    }
    for (int via = 0; via < VIA_COUNT; via++) {
        printf("forward.throughput via=%s frames=%u payload=%zu events_per_s=%.0f ratio=%.2f "
               "cpu_us=%.2f cpu_us_of_all=%.2f ratio_of_cpu=%.2f\n",
               via_names[via], frames, size, median(rates[via]),
               median_ratio(rates[via], rates[ZMQ_PROXY]), median(cpu_us[via]), median(all_us[via]),
               median_ratio(all_us[ZMQ_PROXY], all_us[via]));
    }
    (void)fflush(stdout);
}

static int
compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void
bench_latency(size_t size, unsigned rate)
{
    static double p50[VIA_COUNT][ROUNDS];
    static double p99[VIA_COUNT][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < VIA_COUNT; i++) {
            int via = (round + i) % VIA_COUNT;
            struct work work = { .via = (enum via)via,
                                 .frames = 2,
                                 .size = size,
                                 .events = 2 * (uint64_t)rate,
                                 .rate = rate };
            run_once(&work);
            size_t count = shared->latency_count;
            qsort(shared->latency_ns, count, sizeof shared->latency_ns[0], compare_times);
            p50[via][round] = (double)shared->latency_ns[count / 2] / 1000;
            p99[via][round] = (double)shared->latency_ns[count / 100 * 99] / 1000;
            end_run();
        }
    }
    for (int via = 0; via < VIA_COUNT; via++) {
        printf("forward.latency via=%s payload=%zu rate=%u p50_us=%.0f p99_us=%.0f "
               "added_p50_us=%.0f added_p99_us=%.0f ratio_p50=%.2f ratio_p99=%.2f\n",
               via_names[via], size, rate, median(p50[via]), median(p99[via]),
               median_added(p50[via], p50[DIRECT]), median_added(p99[via], p99[DIRECT]),
               median_ratio(p50[via], p50[ZMQ_PROXY]), median_ratio(p99[via], p99[ZMQ_PROXY]));
    }
    (void)fflush(stdout);
}

/* --once VIA FRAMES PAYLOAD EVENTS: one run, long enough for a profiler to look on. */
static int
run_named(char **arguments)
{
    struct work work = { .frames = (unsigned)strtoul(arguments[1], NULL, 10),
                         .size = strtoul(arguments[2], NULL, 10),
                         .events = strtoull(arguments[3], NULL, 10) };
    while (work.via < VIA_COUNT && strcmp(arguments[0], via_names[work.via]) != 0)
        work.via++;
    if (work.via == VIA_COUNT || work.size < sizeof(uint64_t) || work.events < 10)
        return 2;
    run_once(&work);
    printf("forward.once via=%s frames=%u payload=%zu events_per_s=%.0f cpu_us=%.2f "
           "cpu_us_of_all=%.2f\n",
           via_names[work.via], work.frames, work.size,
           (double)work.events * 1e9 / (double)shared->wall_ns,
           (double)shared->forwarder_cpu_ns / 1000 / (double)work.events,
           (double)shared->all_cpu_ns / 1000 / (double)work.events);
    end_run();
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "--once") == 0)
        return run_named(argv + 2);
    for (unsigned frames = 2; frames <= 3; frames++) {
        bench_throughput(frames, 64, 500000);
        bench_throughput(frames, 1024, 200000);
    }
    bench_latency(64, 1000);
    bench_latency(64, 10000);
    return 0;
}
