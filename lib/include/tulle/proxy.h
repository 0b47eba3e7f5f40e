/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_PROXY_H
#define TULLE_PROXY_H

/* A proxy: joins two or more segments of a mesh.
 *
 * It is a peer on each of its segments and forwards raw frames between them,
 * only what somebody beyond takes. Several proxies side by side and cycles of
 * proxies are normal set-ups.
 *
 * Life and threads are those of a node (see node.h); one thread serves all
 * segments.
 */

#include <tulle/counters.h>
#include <tulle/node.h>
#include <tulle/status.h>

#include <stddef.h>
#include <stdint.h>

typedef struct tulle_proxy tulle_proxy;

enum { TULLE_SEGMENTS_MAX = 8, TULLE_PROXY_PATTERNS_MAX = 64 };

/* One side of a proxy. The fields are those of tulle_node_options. */
typedef struct tulle_segment_options {
    const char *name; /* for people and logs; 1..63 bytes */
    const char *listen[TULLE_LISTEN_MAX];
    size_t listen_count;
    const char *interface_name;
    const char *advertise;
    const char *advertise_events;
    const char *advertise_inlet;
    bool dial_only;
    bool use_inlet;
    const char *const *join;
    size_t join_count;
    bool use_beacon;
    const char *beacon_interface;
    uint16_t beacon_port;
    /* Topic patterns of what may enter the mesh beyond from this segment. A
     * whole stream crosses or does not: a stream crosses when an allow pattern
     * (none given: everything) and no deny pattern takes it. */
    const char *const *allow;
    size_t allow_count;
    const char *const *deny;
    size_t deny_count;
    /* What leaves this segment is limited to so much; 0: it is not. A batch with a larger
     * event does not cross. What is over a rate waits at its publisher: it crosses later. */
    uint32_t event_bytes_max;
    uint32_t events_per_second; /* 1 and more */
    uint64_t bytes_per_second;  /* of batches; 1024 and more */
    /* So much of what leaves this segment is kept for those beyond, at the most, and for so long:
     * it answers who missed it, after a link was down, and is where what is over a rate waits. */
    uint64_t retain_bytes; /* 16 MiB */
    uint64_t retain_ms;    /* 600000; a year at most */
} tulle_segment_options;

typedef struct tulle_proxy_options {
    const char *mesh;
    const char *name;
    tulle_segment_options segments[TULLE_SEGMENTS_MAX];
    size_t segment_count; /* 2..8 */
    uint32_t beat_ms, suspect_ms, gone_ms;
    uint32_t hops_max; /* proxies that a message may pass; 8; 1..16 */
    tulle_log_fn log;
    void *log_ctx;
    tulle_log_level log_level;
} tulle_proxy_options;

#ifdef __cplusplus
extern "C" {
#endif

/* Fill options with defaults; segment_count becomes 0. Threads: any. */
TULLE_API void tulle_proxy_options_init(tulle_proxy_options *options);
/* Fill one segment's options with defaults. Threads: any. */
TULLE_API void tulle_segment_options_init(tulle_segment_options *options);

/* Make a proxy. Parameters, returns and threads as tulle_node_new(). */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_proxy_new(const tulle_proxy_options *options,
                                                        tulle_proxy **out,
                                                        tulle_error *error);

/* Bind all segments and start. Returns and threads as tulle_node_start(). */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_proxy_start(tulle_proxy *proxy, tulle_error *error);

/* Change a proxy that runs: of options, the patterns and limits of each segment, addresses to
 * join that are new, and log_level. Connections stay as they are. It takes effect with the
 * next turn of the proxy's thread. Segments are known by their names.
 *
 * options  borrowed; as for tulle_proxy_new()
 * error    may be NULL. On TULLE_OK its text names the options that differ and need a
 *          restart, and so stay as they are: "" or such as "mesh, segment wan: listen"
 *
 * Returns  TULLE_OK
 *          TULLE_EINVAL  an option is out of range; nothing is changed, as with all errors
 *          TULLE_ELIMIT  more than 64 addresses to join, with those joined before
 *          TULLE_ESTATE  not started, or stopped
 *          TULLE_ENOMEM
 * Threads  the one that starts and stops the proxy; never blocks
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_proxy_update(tulle_proxy *proxy,
                                                           const tulle_proxy_options *options,
                                                           tulle_error *error);

/* Counters of one segment (0 .. segment_count - 1), as they were no more than about 20 ms ago; all
 * zero for another.
 * Threads: any; never blocks. */
TULLE_API void tulle_proxy_counters(const tulle_proxy *proxy, size_t segment, tulle_counters *out);

/* Id (0 before start), name, and the control address of a segment that peers dial
 * ("" before start or for no such segment). Strings are valid until
 * tulle_proxy_free(). Threads: any. */
TULLE_API uint64_t tulle_proxy_id(const tulle_proxy *proxy);
TULLE_API const char *tulle_proxy_name(const tulle_proxy *proxy);
TULLE_API const char *tulle_proxy_address(const tulle_proxy *proxy, size_t segment);

/* Leave all segments and end the thread; as tulle_node_stop(). */
TULLE_API void tulle_proxy_stop(tulle_proxy *proxy, uint32_t linger_ms);

/* Stop if need be and free; *proxy becomes NULL. NULL is allowed. */
TULLE_API void tulle_proxy_free(tulle_proxy **proxy);

#ifdef __cplusplus
}
#endif

#endif
