/* SPDX-License-Identifier: MPL-2.0 */

/* What the processes of a load have in common: how they talk, and how they are called. */

#include "tools/load/load_message.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

void
tulle__load_say(int fd, const struct tulle__load_message *message)
{
    (void)send(fd, message, sizeof *message, MSG_NOSIGNAL);
}

int
tulle__load_say_failed(int fd, int status, const char *what, const char *why)
{
    struct tulle__load_message message = { .word = TULLE__LOAD_FAILED, .status = status };
    (void)snprintf(message.u.text, sizeof message.u.text, "%.60s%s%.180s", what,
                   what[0] != '\0' ? ": " : "", why);
    tulle__load_say(fd, &message);
    return status;
}

bool
tulle__load_listen(int fd, enum tulle__load_word word, struct tulle__load_message *out)
{
    ssize_t got;
    do {
        got = recv(fd, out, sizeof *out, 0);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *out && out->word == word;
}

void
tulle__load_mesh_name(char out[static 48])
{
    (void)snprintf(out, 48, "bench-%ld", (long)getppid());
}

void
tulle__load_listen_address(const struct tulle__load_plan *plan, int side, char out[static 64])
{
    if (plan->transport == TULLE__LOAD_IPC) /* a name without a file: nothing can stay behind */
        (void)snprintf(out, 64, "ipc://@tulle-bench-%ld-%d", (long)getpid(), side);
    else
        (void)snprintf(out, 64, "tcp://127.0.0.1:*");
}

static int64_t
between_us(const struct timeval *from, const struct timeval *to)
{
    return (int64_t)(to->tv_sec - from->tv_sec) * 1000000 + (to->tv_usec - from->tv_usec);
}

void
tulle__load_note_cpu(struct tulle__load_share *share, const struct rusage *from)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    share->user_us = between_us(&from->ru_utime, &usage.ru_utime);
    share->system_us = between_us(&from->ru_stime, &usage.ru_stime);
}
