/* SPDX-License-Identifier: MPL-2.0 */
/* Connections that only find out why an address does not answer. */

#define _GNU_SOURCE 1 /* getaddrinfo_a() */

#include "node/probe.h"

#include "base/alloc.h"
#include "base/time.h"
#include "node/address.h"
#include "node/ipc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PROBE_MS = 3000,
    GREETING = 0xff /* its first byte (ZMTP 3.0) */
};

static void
fail(struct tulle__probe *probe, const char *why)
{
    probe->result = TULLE__PROBE_UNREACHABLE;
    probe->why = why;
}

/* What an errno of connecting says. */
static void
judge(struct tulle__probe *probe, int code)
{
    if (code == ECONNREFUSED)
        probe->result = TULLE__PROBE_REFUSED;
    else if (code != 0)
        fail(probe, strerrordesc_np(code));
    else if (probe->wants_greeting)
        probe->is_connected = true;
    else
        probe->result = TULLE__PROBE_ACCEPTED;
}

static void
look_at_greeting(struct tulle__probe *probe)
{
    uint8_t first = 0;
    ssize_t len = recv(probe->fd, &first, sizeof first, MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len == sizeof first && first == GREETING)
        probe->result = TULLE__PROBE_ACCEPTED;
    else
        fail(probe, len < 0 ? strerrordesc_np(errno) : "no ZeroMQ socket is there");
}

static void
connect_to(struct tulle__probe *probe, struct in_addr host)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)probe->port),
                                   .sin_addr = host };
    probe->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe->fd < 0)
        fail(probe, strerrordesc_np(errno));
    else if (connect(probe->fd, (const struct sockaddr *)&address, sizeof address) == 0)
        judge(probe, 0);
    else if (errno != EINPROGRESS)
        judge(probe, errno);
}

static void
free_name(struct tulle__probe *probe)
{
    if (probe->name == NULL)
        return;
    if (probe->name->ar_result != NULL)
        freeaddrinfo(probe->name->ar_result);
    tulle__free(probe->name);
    probe->name = NULL;
}

/* The request, its hints and the text that it points at are one block. */
struct lookup {
    struct gaicb request; /* first: it stands for the block */
    struct addrinfo hints;
    char host[TULLE__HOST_LEN_MAX + 1];
};

static void
look_up(struct tulle__probe *probe, const char *host)
{
    struct lookup *lookup = tulle__alloc(sizeof *lookup);
    if (lookup == NULL) {
        fail(probe, "out of memory");
        return;
    }
    memcpy(lookup->host, host, strlen(host) + 1);
    lookup->hints = (struct addrinfo){ .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
    lookup->request = (struct gaicb){ .ar_name = lookup->host, .ar_request = &lookup->hints };
    probe->name = &lookup->request;
    struct gaicb *list[] = { probe->name };
    if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0)
        return;
    free_name(probe);
    fail(probe, "the resolver is busy");
}

static void
look_at_name(struct tulle__probe *probe)
{
    struct sockaddr_in found;
    int state = gai_error(probe->name);
    if (state == EAI_INPROGRESS)
        return;
    const struct addrinfo *result = probe->name->ar_result;
    if (state != 0 || result == NULL || result->ai_addrlen != sizeof found) {
        fail(probe, state != 0 ? gai_strerror(state) : "no IPv4 address");
        return;
    }
    memcpy(&found, result->ai_addr, sizeof found);
    free_name(probe);
    connect_to(probe, found.sin_addr);
}

static void
look_at_connection(struct tulle__probe *probe)
{
    struct pollfd item = { .fd = probe->fd, .events = POLLOUT };
    int code = 0;
    socklen_t len = sizeof code;
    if (poll(&item, 1, 0) == 1 && getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &code, &len) == 0)
        judge(probe, code);
}

/* Connecting does not block there, and whoever listens need not greet. */
static void
try_ipc(struct tulle__probe *probe, const char *path)
{
    int code = tulle__ipc_try(path);
    if (code == 0)
        probe->result = TULLE__PROBE_ACCEPTED;
    else
        judge(probe, code == ENOENT ? ECONNREFUSED : code);
}

static void
begin(struct tulle__probe *probe, const char *text, int64_t now_ns, bool wants_greeting)
{
    struct tulle__address address;
    struct in_addr host;
    *probe = (struct tulle__probe){ .is_active = true,
                                    .wants_greeting = wants_greeting,
                                    .fd = -1,
                                    .end_ns = now_ns + tulle__ms_to_ns(PROBE_MS) };
    if (!tulle__address_parse(text, &address)) {
        fail(probe, "it is no address");
        return;
    }
    probe->port = address.port;
    if (address.is_ipc) {
        try_ipc(probe, address.host);
    } else if (inet_pton(AF_INET, address.host, &host) == 1) {
        connect_to(probe, host);
    } else {
        look_up(probe, address.host);
    }
}

void
tulle__probe_begin(struct tulle__probe *probe, const char *text, int64_t now_ns)
{
    begin(probe, text, now_ns, false);
}

void
tulle__probe_begin_greeting(struct tulle__probe *probe, const char *text, int64_t now_ns)
{
    begin(probe, text, now_ns, true);
}

enum tulle__probed
tulle__probe_look(struct tulle__probe *probe, int64_t now_ns)
{
    if (probe->result == TULLE__PROBE_PENDING && probe->name != NULL)
        look_at_name(probe);
    if (probe->result == TULLE__PROBE_PENDING && probe->fd >= 0 && !probe->is_connected)
        look_at_connection(probe);
    if (probe->result == TULLE__PROBE_PENDING && probe->is_connected)
        look_at_greeting(probe);
    /* A resolver takes its own time, and tells then. */
    if (probe->result == TULLE__PROBE_PENDING && probe->name == NULL && now_ns >= probe->end_ns)
        fail(probe, "no answer");
    if (probe->result != TULLE__PROBE_PENDING)
        tulle__probe_end(probe);
    return probe->result;
}

bool
tulle__probe_try_end(struct tulle__probe *probe)
{
    if (probe->is_active && probe->name != NULL && gai_cancel(probe->name) == EAI_NOTCANCELED &&
        gai_error(probe->name) == EAI_INPROGRESS)
        return false;
    tulle__probe_end(probe);
    return true;
}

void
tulle__probe_end(struct tulle__probe *probe)
{
    if (!probe->is_active)
        return;
    if (probe->name != NULL && gai_cancel(probe->name) == EAI_NOTCANCELED) {
        const struct gaicb *list[] = { probe->name };
        while (gai_error(probe->name) == EAI_INPROGRESS)
            (void)gai_suspend(list, 1, NULL);
    }
    free_name(probe);
    if (probe->fd >= 0)
        (void)close(probe->fd);
    probe->fd = -1;
    probe->is_active = false;
}
