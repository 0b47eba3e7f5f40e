/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TRACE_PAGE_HTML_H
#define TULLE_TOOLS_TRACE_PAGE_HTML_H

/* page.html, made into an array by cmake/embed.cmake. NUL-terminated. */
extern const unsigned char tulle__trace_page_html[];

#endif
