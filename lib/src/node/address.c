/* SPDX-License-Identifier: MPL-2.0 */
/* Addresses as users type them. */

#define _DEFAULT_SOURCE 1 /* IFF_UP and IFF_LOOPBACK */

#include "node/address.h"

#include "codec/reader.h"
#include "node/ipc.h"

#include <tulle/node.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PORT_MAX = 65534, /* events go to the next one */
    CHOICES_MAX = 1 + TULLE__ADDRESSES_MAX
};

static bool
parse_port(const char *text, int *port)
{
    *port = 0;
    if (strcmp(text, "*") == 0)
        return true;
    if (text[0] == '\0' || strlen(text) > 5 || strspn(text, "0123456789") != strlen(text))
        return false;
    *port = (int)strtol(text, NULL, 10);
    return *port >= 1 && *port <= PORT_MAX;
}

bool
tulle__address_parse(const char *text, struct tulle__address *out)
{
    size_t len = strnlen(text, TULLE__ADDRESS_LEN_MAX + 1);
    *out = (struct tulle__address){ 0 };
    if (len > TULLE__ADDRESS_LEN_MAX - 8)
        return false; /* room for ".events" */
    if (!tulle__view_is_printable((struct tulle__view){ (const uint8_t *)text, len }))
        return false; /* it is told to others, and they would take it for malformed */
    if (strncmp(text, "ipc://", 6) == 0) {
        out->is_ipc = true;
        /* sun_path is 108 bytes with its NUL. */
        if (text[6] == '\0' || strlen(text + 6) > 100 || strchr(text, ' ') != NULL)
            return false;
        strcpy(out->host, text + 6); /* NOLINT(clang-analyzer-security.insecureAPI.strcpy) */
        return true;
    }
    if (strncmp(text, "tcp://", 6) != 0 || strchr(text, ' ') != NULL)
        return false;
    const char *host = text + 6;
    const char *colon = strrchr(host, ':');
    if (colon == NULL || colon == host)
        return false;
    memcpy(out->host, host, (size_t)(colon - host));
    return parse_port(colon + 1, &out->port);
}

bool
tulle__address_can_be_dialed(const char *text)
{
    struct tulle__address address;
    return tulle__address_parse(text, &address) &&
           (address.is_ipc || (address.port != 0 && strcmp(address.host, "*") != 0));
}

bool
tulle_address_is_valid(const char *address, bool is_to_listen)
{
    struct tulle__address parsed;
    return is_to_listen ? tulle__address_parse(address, &parsed)
                        : tulle__address_can_be_dialed(address);
}

bool
tulle__address_of_interface(const char *interface_name, char host[static TULLE__HOST_LEN_MAX + 1])
{
    strcpy(host, "127.0.0.1"); /* NOLINT(clang-analyzer-security.insecureAPI.strcpy) */
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return interface_name == NULL;
    bool is_found = false;
    for (const struct ifaddrs *i = all; i != NULL && !is_found; i = i->ifa_next) {
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
            continue;
        if (interface_name != NULL
                ? strcmp(i->ifa_name, interface_name) != 0
                : (i->ifa_flags & IFF_LOOPBACK) != 0 || (i->ifa_flags & IFF_UP) == 0)
            continue;
        struct sockaddr_in in;
        memcpy(&in, i->ifa_addr, sizeof in);
        is_found = inet_ntop(AF_INET, &in.sin_addr, host, TULLE__HOST_LEN_MAX) != NULL;
    }
    freeifaddrs(all);
    return is_found || interface_name == NULL;
}

bool
tulle__address_has_interfaces(void)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return false;
    freeifaddrs(all);
    return true;
}

/* Only by numbers, and the two names that every host has for itself: asking for others
 * takes time. */
static bool
is_host_local(const char *host)
{
    char own[TULLE__HOST_LEN_MAX + 1] = "";
    struct in_addr wanted;
    if (strcmp(host, "localhost") == 0 ||
        (gethostname(own, sizeof own - 1) == 0 && strcmp(host, own) == 0))
        return true;
    if (inet_pton(AF_INET, host, &wanted) != 1)
        return false;
    struct ifaddrs *all = NULL;
    bool is_found = (ntohl(wanted.s_addr) >> 24) == 127;
    if (is_found || getifaddrs(&all) != 0)
        return is_found;
    for (const struct ifaddrs *i = all; i != NULL && !is_found; i = i->ifa_next) {
        struct sockaddr_in in;
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
            continue;
        memcpy(&in, i->ifa_addr, sizeof in);
        is_found = in.sin_addr.s_addr == wanted.s_addr;
    }
    freeifaddrs(all);
    return is_found;
}

static bool
is_tcp_local(const char *text)
{
    struct tulle__address address;
    return tulle__address_parse(text, &address) && is_host_local(address.host);
}

/* Addresses that can be used from here, in order. */
struct choices {
    char usable[CHOICES_MAX][TULLE__ADDRESS_LEN_MAX + 1]; /* the TCP ones, from 1 on */
    uint32_t first, count;
};

static void
find_choices(const char *list, struct choices *choices)
{
    char ipc[TULLE__ADDRESS_LEN_MAX + 1] = "";
    bool is_ipc_live = false;
    choices->count = 1;
    while (*list != '\0') {
        size_t len = strcspn(list, " ");
        char one[TULLE__ADDRESS_LEN_MAX + 1] = "";
        if (len <= TULLE__ADDRESS_LEN_MAX)
            memcpy(one, list, len);
        list += len;
        list += strspn(list, " ");
        bool is_ipc = strncmp(one, "ipc://", 6) == 0 && one[6] != '\0';
        if (!is_ipc && choices->count < CHOICES_MAX && tulle__address_can_be_dialed(one))
            memcpy(choices->usable[choices->count++], one, sizeof one);
        if (is_ipc && !is_ipc_live) {
            is_ipc_live = tulle__ipc_is_live(one + 6);
            if (is_ipc_live || ipc[0] == '\0')
                memcpy(ipc, one, sizeof one);
        }
    }
    bool has_ipc = ipc[0] != '\0' &&
                   (choices->count == 1 || (is_ipc_live && is_tcp_local(choices->usable[1])));
    memcpy(choices->usable[0], ipc, sizeof ipc);
    choices->first = has_ipc ? 0 : 1;
}

uint32_t
tulle__address_choices(const char *list)
{
    struct choices choices;
    find_choices(list, &choices);
    return choices.count - choices.first;
}

void
tulle__address_choose(const char *list, uint32_t turn, char out[static TULLE__ADDRESS_LEN_MAX + 1])
{
    struct choices choices;
    find_choices(list, &choices);
    out[0] = '\0';
    uint32_t count = choices.count - choices.first;
    if (count > 0)
        memcpy(out, choices.usable[choices.first + turn % count], sizeof choices.usable[0]);
}
