/* SPDX-License-Identifier: MPL-2.0 */

/* Forwarding of TCP connections with faults.
 *
 * A connection is two descriptors and two flows; a flow is a queue of chunks,
 * each with the time from which it may be written. Chunks never overtake each
 * other, whatever the jitter: a chunk is due no sooner than the one before. */

#include "relay_tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK_LEN = 64 * 1024, BACKLOG = 64, NO_ITEM = -1 };

struct chunk {
    struct chunk *next;
    int64_t due_us;
    size_t len, sent;
    char bytes[];
};

struct flow {
    struct chunk *head, *tail;
    size_t held;
    int64_t due_us; /* of the newest chunk */
    bool is_ended;  /* the source sent its last byte */
    bool is_shut;   /* and the destination was told */
};

struct conn {
    int fds[2];           /* 0: who connected, 1: the target; -1: not there yet */
    int items[2];         /* their poll items in this turn, or NO_ITEM */
    struct flow flows[2]; /* flows[i] goes from fds[i] to the other */
    size_t link;
    bool is_connecting;
    bool is_lost; /* nothing is read, written or closed any more */
};

struct link {
    int fd;
    int item;
    struct sockaddr_storage target;
    socklen_t target_len;
};

struct relay_tcp {
    struct relay_chance *chance;
    uint32_t delay_ms, jitter_ms;
    bool is_cut, is_stalled;
    struct link links[RELAY_TCP_LINKS_MAX];
    size_t link_count;
    struct conn *conns[RELAY_TCP_CONNS_MAX];
    size_t conn_count;
    uint64_t accepted;
};

struct relay_tcp *
relay_tcp_new(struct relay_chance *chance)
{
    struct relay_tcp *tcp = calloc(1, sizeof *tcp);
    if (tcp != NULL)
        tcp->chance = chance;
    return tcp;
}

/* Linger 0 makes close() send a reset rather than a polite end. */
static void
reset_socket(int fd)
{
    if (fd < 0)
        return;
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    (void)close(fd);
}

static void
drop_chunk(struct flow *flow)
{
    struct chunk *chunk = flow->head;
    flow->head = chunk->next;
    if (flow->head == NULL)
        flow->tail = NULL;
    flow->held -= chunk->len;
    free(chunk);
}

static void
close_conn(struct relay_tcp *tcp, size_t index, bool is_reset)
{
    struct conn *conn = tcp->conns[index];
    for (int side = 0; side < 2; side++) {
        while (conn->flows[side].head != NULL)
            drop_chunk(&conn->flows[side]);
        if (is_reset)
            reset_socket(conn->fds[side]);
        else
            (void)close(conn->fds[side]);
    }
    free(conn);
    tcp->conns[index] = tcp->conns[--tcp->conn_count];
}

void
relay_tcp_reset(struct relay_tcp *tcp)
{
    while (tcp->conn_count > 0)
        close_conn(tcp, tcp->conn_count - 1, true);
}

void
relay_tcp_free(struct relay_tcp **tcp)
{
    if (*tcp == NULL)
        return;
    relay_tcp_reset(*tcp);
    for (size_t i = 0; i < (*tcp)->link_count; i++)
        (void)close((*tcp)->links[i].fd);
    free(*tcp);
    *tcp = NULL;
}

void
relay_tcp_set_delay(struct relay_tcp *tcp, uint32_t delay_ms, uint32_t jitter_ms)
{
    tcp->delay_ms = delay_ms;
    tcp->jitter_ms = jitter_ms;
}

void
relay_tcp_set_cut(struct relay_tcp *tcp, bool is_cut)
{
    tcp->is_cut = is_cut;
    if (is_cut)
        relay_tcp_reset(tcp);
}

void
relay_tcp_set_stalled(struct relay_tcp *tcp, bool is_stalled)
{
    tcp->is_stalled = is_stalled;
}

void
relay_tcp_lose(struct relay_tcp *tcp)
{
    for (size_t i = 0; i < tcp->conn_count; i++)
        tcp->conns[i]->is_lost = true;
}

uint64_t
relay_tcp_count(const struct relay_tcp *tcp)
{
    return tcp->accepted;
}

static bool
set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool
resolve(const char *text, struct sockaddr_storage *out, socklen_t *out_len)
{
    if (strncmp(text, "tcp://", 6) == 0)
        text += 6;
    const char *colon = strrchr(text, ':');
    char host[RELAY_ADDRESS_LEN];
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    const char *port = strcmp(colon + 1, "*") == 0 ? "0" : colon + 1;

    struct addrinfo hints = { .ai_family = AF_INET,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return false;
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *out_len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static bool
name_socket(int fd, char bound[static RELAY_ADDRESS_LEN])
{
    struct sockaddr_in name = { 0 };
    socklen_t name_len = sizeof name;
    char host[INET_ADDRSTRLEN];
    if (getsockname(fd, (struct sockaddr *)&name, &name_len) != 0 ||
        inet_ntop(AF_INET, &name.sin_addr, host, sizeof host) == NULL)
        return false;
    (void)snprintf(bound, RELAY_ADDRESS_LEN, "tcp://%s:%d", host, (int)ntohs(name.sin_port));
    return true;
}

const char *
relay_tcp_add(struct relay_tcp *tcp,
              const char *listen_at,
              const char *target,
              char bound[static RELAY_ADDRESS_LEN])
{
    if (tcp->link_count == RELAY_TCP_LINKS_MAX)
        return "too many links";
    struct link *link = &tcp->links[tcp->link_count];
    struct sockaddr_storage address;
    socklen_t address_len = 0;
    if (!resolve(listen_at, &address, &address_len))
        return "the address to listen at is not HOST:PORT";
    if (!resolve(target, &link->target, &link->target_len))
        return "the target is not HOST:PORT";

    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    if (fd < 0)
        return strerror(errno);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || !set_nonblocking(fd) ||
        bind(fd, (struct sockaddr *)&address, address_len) != 0 || listen(fd, BACKLOG) != 0 ||
        !name_socket(fd, bound)) {
        const char *problem = strerror(errno);
        (void)close(fd);
        return problem;
    }
    link->fd = fd;
    tcp->link_count++;
    return NULL;
}

/* Begin to connect on to the target. Returns false when that failed at once. */
static bool
dial(struct relay_tcp *tcp, struct conn *conn)
{
    const struct link *link = &tcp->links[conn->link];
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return false;
    conn->fds[1] = fd;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!set_nonblocking(fd))
        return false;
    if (connect(fd, (const struct sockaddr *)&link->target, link->target_len) == 0)
        return true;
    conn->is_connecting = true;
    return errno == EINPROGRESS;
}

static void
accept_conns(struct relay_tcp *tcp, size_t link)
{
    for (int turn = 0; turn < BACKLOG; turn++) {
        int fd = accept(tcp->links[link].fd, NULL, NULL);
        if (fd < 0)
            return;
        int on = 1;
        tcp->accepted++;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct conn *conn = NULL;
        if (!tcp->is_cut && tcp->conn_count < RELAY_TCP_CONNS_MAX && set_nonblocking(fd))
            conn = calloc(1, sizeof *conn);
        if (conn == NULL) {
            reset_socket(fd);
            continue;
        }
        *conn = (struct conn){ .fds = { fd, -1 }, .items = { NO_ITEM, NO_ITEM }, .link = link };
        tcp->conns[tcp->conn_count++] = conn;
    }
}

static short
wanted_events(const struct relay_tcp *tcp, const struct conn *conn, int side, int64_t now_us)
{
    const struct flow *in = &conn->flows[side];
    const struct flow *out = &conn->flows[1 - side];
    int events = 0;
    if (tcp->is_stalled || conn->is_lost || conn->fds[side] < 0)
        return 0;
    if (side == 1 && conn->is_connecting)
        return ZMQ_POLLOUT;
    if (!in->is_ended && in->held < RELAY_FLOW_BYTES_MAX)
        events |= ZMQ_POLLIN;
    if (out->head != NULL && out->head->due_us <= now_us)
        events |= ZMQ_POLLOUT;
    return (short)events;
}

/* When does this connection want to be looked at without anything being ready? */
static int64_t
conn_deadline(const struct relay_tcp *tcp, const struct conn *conn, int64_t now_us)
{
    if (tcp->is_stalled || conn->is_lost)
        return RELAY_NEVER;
    if (conn->fds[1] < 0)
        return now_us;
    int64_t deadline = RELAY_NEVER;
    for (int side = 0; side < 2; side++) {
        const struct chunk *head = conn->flows[side].head;
        if (head != NULL && head->due_us > now_us && head->due_us < deadline)
            deadline = head->due_us;
    }
    return deadline;
}

size_t
relay_tcp_poll(struct relay_tcp *tcp, zmq_pollitem_t *items, int64_t *deadline_us)
{
    size_t count = 0;
    int64_t now_us = relay_now_us();
    for (size_t i = 0; i < tcp->link_count; i++) {
        tcp->links[i].item = (int)count;
        items[count++] = (zmq_pollitem_t){ .fd = tcp->links[i].fd, .events = ZMQ_POLLIN };
    }
    for (size_t i = 0; i < tcp->conn_count; i++) {
        struct conn *conn = tcp->conns[i];
        for (int side = 0; side < 2; side++) {
            short events = wanted_events(tcp, conn, side, now_us);
            conn->items[side] = NO_ITEM;
            if (events == 0)
                continue;
            conn->items[side] = (int)count;
            items[count++] = (zmq_pollitem_t){ .fd = conn->fds[side], .events = events };
        }
        int64_t deadline = conn_deadline(tcp, conn, now_us);
        if (deadline < *deadline_us)
            *deadline_us = deadline;
    }
    return count;
}

/* Returns false when the connection is broken. */
static bool
read_side(struct relay_tcp *tcp, struct conn *conn, int side, int64_t now_us)
{
    struct flow *flow = &conn->flows[side];
    if (flow->is_ended || flow->held >= RELAY_FLOW_BYTES_MAX)
        return true;
    struct chunk *chunk = malloc(sizeof *chunk + CHUNK_LEN);
    if (chunk == NULL)
        return false;
    ssize_t got = recv(conn->fds[side], chunk->bytes, CHUNK_LEN, 0);
    if (got <= 0) {
        free(chunk);
        flow->is_ended = got == 0;
        return got == 0 || errno == EAGAIN || errno == EINTR;
    }
    struct chunk *fit = realloc(chunk, sizeof *chunk + (size_t)got);
    if (fit != NULL)
        chunk = fit;
    uint64_t jitter_us = (uint64_t)tcp->jitter_ms * 1000;
    int64_t due_us = now_us + (int64_t)tcp->delay_ms * 1000;
    if (jitter_us > 0)
        due_us += (int64_t)(relay_chance_next(tcp->chance) % (jitter_us + 1));
    if (due_us < flow->due_us)
        due_us = flow->due_us;
    flow->due_us = due_us;
    chunk->next = NULL;
    chunk->due_us = due_us;
    chunk->len = (size_t)got;
    chunk->sent = 0;
    if (flow->tail != NULL)
        flow->tail->next = chunk;
    else
        flow->head = chunk;
    flow->tail = chunk;
    flow->held += chunk->len;
    return true;
}

static bool
write_side(struct conn *conn, int side, int64_t now_us)
{
    struct flow *flow = &conn->flows[1 - side];
    while (flow->head != NULL && flow->head->due_us <= now_us) {
        struct chunk *chunk = flow->head;
        ssize_t put = send(conn->fds[side], chunk->bytes + chunk->sent, chunk->len - chunk->sent,
                           MSG_NOSIGNAL);
        if (put < 0)
            return errno == EAGAIN || errno == EINTR;
        chunk->sent += (size_t)put;
        if (chunk->sent < chunk->len)
            return true;
        drop_chunk(flow);
    }
    if (flow->head == NULL && flow->is_ended && !flow->is_shut) {
        flow->is_shut = true;
        (void)shutdown(conn->fds[side], SHUT_WR);
    }
    return true;
}

static bool
finish_connect(struct conn *conn)
{
    int problem = 0;
    socklen_t problem_len = sizeof problem;
    if (getsockopt(conn->fds[1], SOL_SOCKET, SO_ERROR, &problem, &problem_len) != 0 || problem != 0)
        return false;
    conn->is_connecting = false;
    return true;
}

/* Returns false when the connection is broken. */
static bool
run_conn(struct relay_tcp *tcp, struct conn *conn, const zmq_pollitem_t *items, int64_t now_us)
{
    if (conn->is_lost)
        return true;
    if (conn->fds[1] < 0)
        return dial(tcp, conn);
    for (int side = 0; side < 2; side++) {
        short ready = conn->items[side] == NO_ITEM ? (short)0 : items[conn->items[side]].revents;
        conn->items[side] = NO_ITEM;
        if (side == 1 && conn->is_connecting) {
            if (ready == 0)
                return true;
            if (!finish_connect(conn))
                return false;
            continue;
        }
        if ((ready & (ZMQ_POLLIN | ZMQ_POLLERR)) != 0 && !read_side(tcp, conn, side, now_us))
            return false;
    }
    for (int side = 0; side < 2 && !conn->is_connecting; side++) {
        if (!write_side(conn, side, now_us))
            return false;
    }
    return true;
}

void
relay_tcp_run(struct relay_tcp *tcp, const zmq_pollitem_t *items)
{
    int64_t now_us = relay_now_us();
    for (size_t i = tcp->is_stalled ? 0 : tcp->conn_count; i-- > 0;) {
        struct conn *conn = tcp->conns[i];
        if (!run_conn(tcp, conn, items, now_us))
            close_conn(tcp, i, true);
        else if (conn->flows[0].is_shut && conn->flows[1].is_shut)
            close_conn(tcp, i, false);
    }
    for (size_t i = 0; i < tcp->link_count; i++) {
        if (items[tcp->links[i].item].revents != 0)
            accept_conns(tcp, i);
    }
}
