/* SPDX-License-Identifier: MPL-2.0 */

/* Versions of libraries are asked of them: a program that runs with another one than it was
 * compiled with is a fault that nothing else shows. */

#include "app/libraries.h"

#include <czmq.h>
#include <zmq.h>

bool
tulle__library_at(size_t index, struct tulle__library *out)
{
    int major = 0;
    int minor = 0;
    int patch = 0;
    if (index == 0) {
        zmq_version(&major, &minor, &patch);
        *out = (struct tulle__library){
            "libzmq",
            { ZMQ_VERSION_MAJOR, ZMQ_VERSION_MINOR, ZMQ_VERSION_PATCH },
            { major, minor, patch },
        };
        return true;
    }
    if (index == 1) {
        zsys_version(&major, &minor, &patch);
        *out = (struct tulle__library){
            "czmq",
            { CZMQ_VERSION_MAJOR, CZMQ_VERSION_MINOR, CZMQ_VERSION_PATCH },
            { major, minor, patch },
        };
        return true;
    }
    return false;
}
