// SPDX-License-Identifier: MIT
#include "sim/explore/front_plot.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "sim/explore/metric_unit.h"
#include "sim/explore/plot_scale.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

constexpr double width = 900;
constexpr double left = 90;
constexpr double right = 30;
constexpr double top = 50;
constexpr double plot_height = 440;
constexpr double below_plot = 64;
constexpr double legend_line = 22;
constexpr double plot_width = width - left - right;
constexpr std::size_t most_text = 200;

// Okabe and Ito, "Color universal design" (2008): told apart by all kinds of colour vision. Their yellow is too pale
// for white paper.
constexpr std::array<std::string_view, 7> palette{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                  "#E69F00", "#56B4E9", "#000000"};

std::string escaped(std::string_view text) {
    std::string xml;
    for (const char c : for_terminal(text, most_text)) {
        switch (c) {
            case '&':
                xml += "&amp;";
                break;
            case '<':
                xml += "&lt;";
                break;
            case '>':
                xml += "&gt;";
                break;
            case '"':
                xml += "&quot;";
                break;
            default:
                xml += c;
        }
    }
    return xml;
}

struct Range {
    double least = 0;
    double most = 0;
};

Range range_of(const PointTable& table, std::span<const ParetoFront> fronts, std::size_t metric) {
    Range range;
    bool first = true;
    for (const ParetoFront& front : fronts) {
        for (const std::size_t row : front.candidates) {
            const double value = *table.rows[row].metrics[metric];
            range = first ? Range{value, value} : Range{std::min(range.least, value), std::max(range.most, value)};
            first = false;
        }
    }
    return range;
}

/// A mark of a group; shapes differ as well as colours.
std::string marker(std::size_t group, double x, double y) {
    constexpr std::array<std::string_view, 4> shapes{"M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z", "M-4.5,-4.5h9v9h-9z",
                                                     "M0,-6L5.5,4h-11z", "M0,-6L6,0L0,6L-6,0z"};
    return fmt::format(
        R"svg(<path d="{}" transform="translate({:.1f},{:.1f})" fill="{}" stroke="#fff" stroke-width="1">)svg",
        shapes[group % shapes.size()], x, y, palette[group % palette.size()]);
}

class Plot {
public:
    Plot(std::ostream& out, const PointTable& table, std::span<const ParetoFront> fronts, const Objective& x,
         const Objective& y)
        : out_(out),
          table_(table),
          fronts_(fronts),
          x_(x),
          y_(y),
          x_metric_(table.metric(x.metric).value()),
          y_metric_(table.metric(y.metric).value()),
          x_scale_(scale(x.metric, x_metric_)),
          y_scale_(scale(y.metric, y_metric_)) {}

    void draw() {
        const double legend = fronts_.size() > 1 ? legend_line * static_cast<double>((fronts_.size() + 2) / 3) : 0;
        const double height = top + plot_height + below_plot + legend;
        out_ << fmt::format(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" )"
                            R"(font-family="sans-serif" font-size="13" fill="#333" role="img">)"
                            "\n<title>{2}: Pareto front of {3} and {4}</title>\n"
                            R"(<rect width="{0}" height="{1}" fill="#fff"/>)"
                            "\n",
                            width, height, escaped(table_.study), escaped(x_.metric), escaped(y_.metric));
        out_ << fmt::format(R"(<text x="{}" y="28" font-size="17" font-weight="bold">{}</text>)"
                            "\n",
                            left, escaped(table_.study));
        draw_axes();
        draw_candidates();
        for (std::size_t group = 0; group < fronts_.size(); ++group) {
            draw_front(group);
        }
        if (fronts_.size() > 1) {
            draw_legend();
        }
        out_ << "</svg>\n";
    }

private:
    [[nodiscard]] PlotScale scale(const std::string& name, std::size_t metric) const {
        const Range range = range_of(table_, fronts_, metric);
        return {name, range.least, range.most};
    }
    [[nodiscard]] double x_of(const PointRow& row) const {
        return left + plot_width * x_scale_.place(*row.metrics[x_metric_]);
    }
    [[nodiscard]] double y_of(const PointRow& row) const {
        return top + plot_height * (1 - y_scale_.place(*row.metrics[y_metric_]));
    }

    void draw_axes() {
        for (const PlotScale::Tick& tick : x_scale_.ticks()) {
            const double x = left + plot_width * tick.place;
            out_ << fmt::format(R"(<path d="M{0:.1f},{1}v{2}" stroke="#e4e4e4"/>)"
                                R"(<text x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>)"
                                "\n",
                                x, top, plot_height, top + plot_height + 20, escaped(tick.label));
        }
        for (const PlotScale::Tick& tick : y_scale_.ticks()) {
            const double y = top + plot_height * (1 - tick.place);
            out_ << fmt::format(R"(<path d="M{0},{1:.1f}h{2}" stroke="#e4e4e4"/>)"
                                R"(<text x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>)"
                                "\n",
                                left, y, plot_width, left - 8, y + 4.5, escaped(tick.label));
        }
        out_ << fmt::format(R"(<path d="M{},{}v{}h{}" fill="none" stroke="#666"/>)"
                            "\n",
                            left, top, plot_height, plot_width);
        const auto label = [](const PlotScale& scale, const Objective& objective) {
            return escaped(scale.label() + (objective.maximize ? ", more is better" : ", less is better"));
        };
        out_ << fmt::format(R"(<text x="{}" y="{}" text-anchor="middle" font-size="14">{}</text>)"
                            "\n",
                            left + plot_width / 2, top + plot_height + 46, label(x_scale_, x_));
        out_ << fmt::format(R"svg(<text transform="translate(20,{}) rotate(-90)" text-anchor="middle" )svg"
                            R"(font-size="14">{}</text>)"
                            "\n",
                            top + plot_height / 2, label(y_scale_, y_));
    }

    void draw_candidates() {
        bool any = false;
        for (const ParetoFront& front : fronts_) {
            for (const std::size_t r : front.candidates) {
                const PointRow& row = table_.rows[r];
                out_ << fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="#777" fill-opacity="0.45">)"
                                    "<title>{}</title></circle>\n",
                                    x_of(row), y_of(row), what_it_is(row));
                any = true;
            }
        }
        if (!any) {
            out_ << fmt::format(R"(<text x="{}" y="{}" text-anchor="middle" font-size="16">no points</text>)"
                                "\n",
                                left + plot_width / 2, top + plot_height / 2);
        }
    }

    /// The line is the edge of what the front dominates.
    void draw_front(std::size_t group) {
        std::vector<const PointRow*> rows;
        for (const std::size_t row : fronts_[group].rows) {
            rows.push_back(&table_.rows[row]);
        }
        std::ranges::stable_sort(rows, {}, [&](const PointRow* row) { return *row->metrics[x_metric_]; });
        std::string line;
        for (const PointRow* row : rows) {
            const char* const turn = x_.maximize ? "V{1:.1f}H{0:.1f}" : "H{0:.1f}V{1:.1f}";
            line += fmt::format(fmt::runtime(line.empty() ? "M{0:.1f},{1:.1f}" : turn), x_of(*row), y_of(*row));
        }
        if (rows.size() > 1) {
            out_ << fmt::format(R"(<path d="{}" fill="none" stroke="{}" stroke-width="1.8"/>)"
                                "\n",
                                line, palette[group % palette.size()]);
        }
        for (const PointRow* row : rows) {
            out_ << marker(group, x_of(*row), y_of(*row)) << "<title>" << what_it_is(*row) << "</title></path>\n";
        }
    }

    void draw_legend() {
        constexpr std::size_t columns = 3;
        for (std::size_t group = 0; group < fronts_.size(); ++group) {
            const double x = left + plot_width / columns * static_cast<double>(group % columns);
            const double y = top + plot_height + below_plot + legend_line * static_cast<double>(group / columns) + 4;
            constexpr std::size_t most_name = 32;
            out_ << marker(group, x + 6, y - 4) << "</path>"
                 << fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + 18, y,
                                escaped(for_terminal(fronts_[group].workload, most_name)));
        }
    }

    /// The tooltip of a point, already escaped.
    [[nodiscard]] std::string what_it_is(const PointRow& row) const {
        std::string text = fmt::format("design {}, {}, {}", row.design, escaped(row.machine), escaped(row.workload));
        for (std::size_t i = 0; i < table_.axes.size(); ++i) {
            text += fmt::format("\n{}: {}", escaped(table_.axes[i]), escaped(row.values[i]));
        }
        return text + fmt::format("\n{}: {}\n{}: {}", escaped(x_.metric),
                                  metric_text(x_.metric, *row.metrics[x_metric_]), escaped(y_.metric),
                                  metric_text(y_.metric, *row.metrics[y_metric_]));
    }

    std::ostream& out_;
    const PointTable& table_;
    std::span<const ParetoFront> fronts_;
    const Objective& x_;
    const Objective& y_;
    std::size_t x_metric_;
    std::size_t y_metric_;
    PlotScale x_scale_;
    PlotScale y_scale_;
};

}  // namespace

void write_front_svg(std::ostream& out, const PointTable& table, std::span<const ParetoFront> fronts,
                     const Objective& x, const Objective& y) {
    Plot(out, table, fronts, x, y).draw();
}

}  // namespace nibble
