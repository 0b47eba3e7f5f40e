/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_H
#define TULLE_H

#include <tulle/counters.h>
#include <tulle/event.h>
#include <tulle/node.h>
#include <tulle/observe.h>
#include <tulle/options.h>
#include <tulle/proxy.h>
#include <tulle/status.h>
#include <tulle/topic.h>
#include <tulle/version.h>

#endif
