# SPDX-License-Identifier: MPL-2.0
set(TULLE_PUBLIC_HEADERS
    include/tulle/counters.h
    include/tulle/event.h
    include/tulle/node.h
    include/tulle/observe.h
    include/tulle/options.h
    include/tulle/proxy.h
    include/tulle/status.h
    include/tulle/topic.h
    include/tulle/tulle.h
    include/tulle/version.h
)
