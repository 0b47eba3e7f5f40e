/* SPDX-License-Identifier: MPL-2.0 */
// The same from C++.

#include <cstring>

#include <tulle/tulle.h>

int
main()
{
    return std::strcmp(tulle_version(), TULLE_VERSION) == 0 ? 0 : 1;
}
