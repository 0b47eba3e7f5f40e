/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/tools.h"

#include "app/exit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool
tulle__tool_has_way(const struct tulle__program *program,
                    const struct tulle__common *common,
                    int *status)
{
    if (common->node.join_count > 0 || common->node.listen_count > 0 || common->node.use_beacon)
        return true;
    *status = tulle__args_usage(
        program, "how to reach the mesh? Give --join ADDRESS, --beacon or --listen ADDRESS");
    return false;
}

static void
look_at_peer(const tulle_peer *peer, void *ctx)
{
    enum tulle__reach *best = ctx;
    enum tulle__reach reach = peer->is_proxy ? TULLE__REACH_PROXY : TULLE__REACH_NODE;
    if (peer->state == TULLE_PEER_UP && reach > *best)
        *best = reach;
}

enum tulle__reach
tulle__tool_reach(tulle_node *node)
{
    enum tulle__reach best = TULLE__REACH_NOBODY;
    /* It fails only when the node is stopped: then it reaches nobody. */
    if (tulle_node_peers(node, look_at_peer, &best) != TULLE_OK)
        return TULLE__REACH_NOBODY;
    return best;
}

int
tulle__tool_fail(const struct tulle__program *program, const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", program->name, what);
    return TULLE__EXIT_FAILURE;
}

int
tulle__tool_print(const struct tulle__program *program, const struct tulle__text *text)
{
    if (text->len == 0 ||
        (fwrite(text->bytes, 1, text->len, stdout) == text->len && fflush(stdout) == 0) ||
        errno == EPIPE)
        return TULLE__EXIT_OK;
    (void)fprintf(stderr, "%s: standard output: %s\n", program->name, strerror(errno));
    return TULLE__EXIT_FAILURE;
}

static int64_t
read_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now); /* cannot fail for these clocks on Linux */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
tulle__tool_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t
tulle__tool_mono_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
