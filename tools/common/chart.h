/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_CHART_H
#define TULLE_TOOLS_CHART_H

/* Graphs for Graphviz and Mermaid, written piece by piece. What a peer wrote is quoted as each of
 * them wants it.
 *
 *     tulle__chart_begin(&chart, "mesh");
 *     tulle__chart_node_begin(&chart, 'n', 0, TULLE__CHART_BOX);
 *     tulle__chart_put(&chart, name, len);
 *     tulle__chart_node_end(&chart, TULLE__CHART_PLAIN);
 *     tulle__chart_edge(&chart, 'n', 0, 'n', 1, "12 ms", TULLE__CHART_PLAIN);
 *     tulle__chart_end(&chart);
 *
 * A node is named by a letter and a number. */

#include "app/text.h"

#include <stdbool.h>
#include <stddef.h>

struct tulle__chart {
    struct tulle__text *out;
    bool is_dot; /* Graphviz; else Mermaid */
};

enum tulle__chart_shape { TULLE__CHART_BOX, TULLE__CHART_OVAL, TULLE__CHART_HEXAGON };
enum tulle__chart_style { TULLE__CHART_PLAIN, TULLE__CHART_BOLD, TULLE__CHART_DASHED };

struct tulle__chart_name {
    char kind;
    size_t number;
};

/* name: of letters only */
void tulle__chart_begin(const struct tulle__chart *chart, const char *name);
void tulle__chart_end(const struct tulle__chart *chart);

/* Nodes between these two are drawn in a frame. title: any text */
void tulle__chart_group_begin(const struct tulle__chart *chart, size_t number, const char *title);
void tulle__chart_group_end(const struct tulle__chart *chart);

/* The label is put in between the two, as text and line breaks. */
void tulle__chart_node_begin(const struct tulle__chart *chart,
                             struct tulle__chart_name name,
                             enum tulle__chart_shape shape);
void tulle__chart_put(const struct tulle__chart *chart, const char *text, size_t len);
void tulle__chart_break(const struct tulle__chart *chart);
void tulle__chart_node_end(const struct tulle__chart *chart,
                           enum tulle__chart_shape shape,
                           enum tulle__chart_style style);

/* label: any text; NULL: none */
void tulle__chart_edge(const struct tulle__chart *chart,
                       struct tulle__chart_name from,
                       struct tulle__chart_name to,
                       const char *label,
                       enum tulle__chart_style style);

#endif
