/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_ADDRESS_H
#define TULLE_NODE_ADDRESS_H

/* Addresses as users type them: "tcp://HOST:PORT" and "ipc://PATH". */

#include "codec/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TULLE__HOST_LEN_MAX = 255 };

struct tulle__address {
    bool is_ipc;
    char host[TULLE__HOST_LEN_MAX + 1]; /* TCP: name, number or "*"; IPC: the path */
    int port;                           /* TCP: 1..65535; 0 stands for "*" */
};

/* Take an address apart. False when it is none, or PORT + 1 would be no port. */
bool tulle__address_parse(const char *text, struct tulle__address *out);
/* As tulle__address_parse(), for an address to dial: host and port are given. */
bool tulle__address_can_be_dialed(const char *text);

/* IPv4 address that stands for "*": of the interface named, or of the first one that
 * is up and no loopback, or 127.0.0.1. False when the interface named has none. */
bool tulle__address_of_interface(const char *interface_name,
                                 char host[static TULLE__HOST_LEN_MAX + 1]);

/* Does the system list the interfaces of this host? errno says why not. */
bool tulle__address_has_interfaces(void);

/* Of addresses separated by spaces the one to use from here: the first TCP one; but an
 * IPC path that somebody listens at when that TCP address is of this host (the same path
 * on another host is not theirs), and any IPC path when there is no TCP address. At turn 1
 * it is the one after that, and so on. "" when there is none of either. */
void
tulle__address_choose(const char *list, uint32_t turn, char out[static TULLE__ADDRESS_LEN_MAX + 1]);
/* How many turns there are until it comes round. */
uint32_t tulle__address_choices(const char *list);

#endif
