/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_STATUS_H
#define TULLE_STATUS_H

/* Results of every function of tulle that can fail.
 *
 * Zero is success, every error is negative. Values are stable: they reach logs
 * and other languages, so they are never renumbered and never reused.
 */

#if defined(__GNUC__)
#define TULLE_API        __attribute__((visibility("default")))
#define TULLE_MUST_CHECK __attribute__((warn_unused_result))
#else
#define TULLE_API
#define TULLE_MUST_CHECK
#endif

/* name, value, text */
#define TULLE_STATUS_MAP(X)                               \
    X(OK, 0, "success")                                   \
    X(EINVAL, -1, "invalid argument")                     \
    X(ENOMEM, -2, "out of memory")                        \
    X(EAGAIN, -3, "would exceed a limit; retry later")    \
    X(EBADMSG, -4, "malformed message from a peer")       \
    X(ETIMEDOUT, -5, "timed out")                         \
    X(ESTATE, -6, "not possible in this state")           \
    X(EMSGSIZE, -7, "event is larger than the limit")     \
    X(EADDRINUSE, -8, "address is already in use")        \
    X(EADDRNOTAVAIL, -9, "address is not available here") \
    X(ENOENT, -10, "no such thing")                       \
    X(ENETWORK, -11, "the network refused the operation") \
    X(EVERSION, -12, "unsupported protocol version")      \
    X(EMESH, -13, "message belongs to another mesh")      \
    X(ELIMIT, -14, "a table is full")                     \
    X(EOS, -15, "the operating system refused the operation")

typedef enum tulle_status {
#define TULLE_STATUS_ENUM(name, value, text) TULLE_##name = (value),
    TULLE_STATUS_MAP(TULLE_STATUS_ENUM)
#undef TULLE_STATUS_ENUM
} tulle_status;

/* What went wrong, in words, for the few calls that need more than a code:
 * creating and starting a node or a proxy, and loading options. */
typedef struct tulle_error {
    tulle_status status;
    char text[240]; /* NUL-terminated, one line, no trailing newline */
} tulle_error;

#ifdef __cplusplus
extern "C" {
#endif

/* Text of a status, for people.
 *
 * Returns  static text for any value, also for one that is no status
 * Threads  any; never blocks
 */
TULLE_API const char *tulle_strerror(tulle_status status);

/* Name of a status as in this header, such as "TULLE_EAGAIN".
 *
 * Returns  static text; "TULLE_UNKNOWN" for a value that is no status
 * Threads  any; never blocks
 */
TULLE_API const char *tulle_status_name(tulle_status status);

#ifdef __cplusplus
}
#endif

#endif
