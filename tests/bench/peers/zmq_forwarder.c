/* SPDX-License-Identifier: MPL-2.0 */
/* libzmq's own proxy, XSUB and XPUB: what tulle-proxy is compared with. Publishers connect to the
 * first port and subscribers to the second; it waits for slow subscribers, as the peers do. */

#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum { HIGH_WATER_MARK = 10000 };

static void
must(int rc, const char *what)
{
    if (rc != -1)
        return;
    fprintf(stderr, "zmq_forwarder: %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
}

static void *
open_side(void *context, int type, const char *port)
{
    char address[64];
    int mark = HIGH_WATER_MARK;
    void *socket = zmq_socket(context, type);
    if (socket == NULL)
        must(-1, "zmq_socket");
    must(zmq_setsockopt(socket, ZMQ_SNDHWM, &mark, sizeof mark), "ZMQ_SNDHWM");
    must(zmq_setsockopt(socket, ZMQ_RCVHWM, &mark, sizeof mark), "ZMQ_RCVHWM");
    if (type == ZMQ_XPUB) {
        int is_waiting = 1;
        must(zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &is_waiting, sizeof is_waiting), "NODROP");
    }
    (void)snprintf(address, sizeof address, "tcp://127.0.0.1:%s", port);
    must(zmq_bind(socket, address), address);
    return socket;
}

int
main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: zmq_forwarder PUBLISHERS_PORT SUBSCRIBERS_PORT\n", stderr);
        return 2;
    }
    void *context = zmq_ctx_new();
    if (context == NULL)
        return 1;
    void *front = open_side(context, ZMQ_XSUB, argv[1]);
    void *back = open_side(context, ZMQ_XPUB, argv[2]);
    must(zmq_proxy(front, back, NULL), "zmq_proxy"); /* until it is killed */
    return 0;
}
