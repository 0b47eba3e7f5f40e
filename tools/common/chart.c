/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/chart.h"

#include "tools/common/terminal.h"

#include <string.h>

void
tulle__chart_begin(const struct tulle__chart *chart, const char *name)
{
    if (chart->is_dot) {
        tulle__text_format(chart->out,
                           "digraph %s {\n"
                           "  rankdir=LR;\n"
                           "  node [shape=box, style=rounded, fontname=\"sans\"];\n"
                           "  edge [fontname=\"sans\", fontsize=10];\n",
                           name);
    } else {
        tulle__text_str(chart->out, "flowchart LR\n"
                                    "  classDef bold stroke-width:3px\n"
                                    "  classDef dashed stroke-dasharray:4 4\n");
    }
}

void
tulle__chart_end(const struct tulle__chart *chart)
{
    if (chart->is_dot)
        tulle__text_str(chart->out, "}\n");
}

/* Control characters first: none of the two takes them. */
void
tulle__chart_put(const struct tulle__chart *chart, const char *text, size_t len)
{
    struct tulle__text safe = { 0 };
    const char *special = chart->is_dot ? "\"\\" : "\"#&<>;`|{}[]()\\%*_~";
    tulle__terminal_put_safe(&safe, text, len);
    for (size_t i = 0; i < safe.len; i++) {
        if (strchr(special, safe.bytes[i]) == NULL)
            tulle__text_char(chart->out, safe.bytes[i]);
        else if (chart->is_dot)
            tulle__text_format(chart->out, "\\%c", safe.bytes[i]);
        else
            tulle__text_format(chart->out, "#%d;", safe.bytes[i]);
    }
    chart->out->has_failed = chart->out->has_failed || safe.has_failed;
    tulle__text_free(&safe);
}

void
tulle__chart_break(const struct tulle__chart *chart)
{
    tulle__text_str(chart->out, chart->is_dot ? "\\n" : "<br/>");
}

void
tulle__chart_group_begin(const struct tulle__chart *chart, size_t number, const char *title)
{
    if (chart->is_dot) {
        tulle__text_format(
            chart->out, "  subgraph cluster_%zu {\n    fontname=\"sans\";\n    label=\"", number);
    } else {
        tulle__text_format(chart->out, "  subgraph frame%zu[\"", number);
    }
    tulle__chart_put(chart, title, strlen(title));
    tulle__text_str(chart->out, chart->is_dot ? "\";\n" : "\"]\n");
}

void
tulle__chart_group_end(const struct tulle__chart *chart)
{
    tulle__text_str(chart->out, chart->is_dot ? "  }\n" : "  end\n");
}

void
tulle__chart_node_begin(const struct tulle__chart *chart,
                        struct tulle__chart_name name,
                        enum tulle__chart_shape shape)
{
    static const char *const opening[] = { "[\"", "([\"", "{{\"" };
    tulle__text_format(chart->out, "  %c%zu%s", name.kind, name.number,
                       chart->is_dot ? " [label=\"" : opening[shape]);
}

void
tulle__chart_node_end(const struct tulle__chart *chart,
                      enum tulle__chart_shape shape,
                      enum tulle__chart_style style)
{
    static const char *const closing[] = { "\"]", "\"])", "\"}}" };
    static const char *const classes[] = { "", ":::bold", ":::dashed" };
    static const char *const shapes[] = { "", ", shape=ellipse", ", shape=hexagon" };
    static const char *const styles[] = { "", ", style=\"rounded,bold\"",
                                          ", style=\"rounded,dashed\"" };
    if (chart->is_dot)
        tulle__text_format(chart->out, "\"%s%s];\n", shapes[shape], styles[style]);
    else
        tulle__text_format(chart->out, "%s%s\n", closing[shape], classes[style]);
}

static void
put_edge_style(const struct tulle__chart *chart, const char *label, enum tulle__chart_style style)
{
    static const char *const styles[] = { "", "style=bold", "style=dashed" };
    if (label == NULL && style == TULLE__CHART_PLAIN)
        return;
    tulle__text_str(chart->out, " [");
    if (label != NULL) {
        tulle__text_str(chart->out, "label=\"");
        tulle__chart_put(chart, label, strlen(label));
        tulle__text_str(chart->out, style != TULLE__CHART_PLAIN ? "\", " : "\"");
    }
    tulle__text_str(chart->out, styles[style]);
    tulle__text_char(chart->out, ']');
}

void
tulle__chart_edge(const struct tulle__chart *chart,
                  struct tulle__chart_name from,
                  struct tulle__chart_name to,
                  const char *label,
                  enum tulle__chart_style style)
{
    static const char *const arrows[] = { "-->", "==>", "-.->" };
    tulle__text_format(chart->out, "  %c%zu ", from.kind, from.number);
    if (chart->is_dot) {
        tulle__text_format(chart->out, "-> %c%zu", to.kind, to.number);
        put_edge_style(chart, label, style);
        tulle__text_str(chart->out, ";\n");
        return;
    }
    tulle__text_str(chart->out, arrows[style]);
    if (label != NULL) {
        tulle__text_str(chart->out, "|\"");
        tulle__chart_put(chart, label, strlen(label));
        tulle__text_str(chart->out, "\"|");
    }
    tulle__text_format(chart->out, " %c%zu\n", to.kind, to.number);
}
