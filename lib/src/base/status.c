/* SPDX-License-Identifier: MPL-2.0 */
/* Names and texts of statuses, from the one table. */

#include <tulle/status.h>

const char *
tulle_strerror(tulle_status status)
{
    switch (status) {
#define STATUS_TEXT(name, value, text) \
    case TULLE_##name:                 \
        return text;
        TULLE_STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "unknown status";
}

const char *
tulle_status_name(tulle_status status)
{
    switch (status) {
#define STATUS_NAME(name, value, text) \
    case TULLE_##name:                 \
        return "TULLE_" #name;
        TULLE_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
    }
    return "TULLE_UNKNOWN";
}
