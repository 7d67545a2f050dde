// SPDX-License-Identifier: MIT
#include "sim/page/page_writer.h"

#include <nlohmann/json.hpp>

#include "sim/report/safe_text.h"

namespace nibble {

std::string html_text(std::string_view text) {
    std::string html;
    for (const char c : to_utf8(text)) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '&') {
            html += "&amp;";
        } else if (c == '<') {
            html += "&lt;";
        } else if (c == '>') {
            html += "&gt;";
        } else if (c == '"') {
            html += "&quot;";
        } else if (c == '\'') {
            html += "&#39;";
        } else if ((byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7f) {
            html += "\xef\xbf\xbd";
        } else {
            html += c;
        }
    }
    return html;
}

std::string script_json(const nlohmann::ordered_json& json) {
    // What is escaped below can only stand inside of strings.
    std::string safe;
    for (const char c : json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace)) {
        if (c == '<') {
            safe += "\\u003c";
        } else if (c == '>') {
            safe += "\\u003e";
        } else if (c == '&') {
            safe += "\\u0026";
        } else {
            safe += c;
        }
    }
    return safe;
}

void write_page(std::ostream& out, const std::string& title, const std::vector<std::string>& summary,
                const nlohmann::ordered_json& data, const PageBundle& bundle) {
    out << "<!DOCTYPE html>\n"
           "<html lang=\"en\">\n<head>\n"
           "<meta charset=\"utf-8\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action "
           "'none'; img-src data:; script-src '"
        << bundle.script_hash << "'; style-src '" << bundle.style_hash
        << "'\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta name=\"color-scheme\" content=\"light dark\">\n"
           "<link rel=\"icon\" href=\"data:,\">\n"
           "<title>"
        << html_text(title) << "</title>\n<style>" << bundle.style
        << "</style>\n</head>\n<body>\n"
           "<a class=\"skip\" href=\"#main\">Skip to the results</a>\n"
           "<noscript>\n<main>\n<h1>"
        << html_text(title) << "</h1>\n";
    for (const std::string& paragraph : summary) {
        out << "<p>" << html_text(paragraph) << "</p>\n";
    }
    out << "<p>Charts and tables of this report are drawn by a script, which this browser does not run.</p>\n"
           "</main>\n</noscript>\n"
           "<script type=\"application/json\" id=\"report-data\">"
        << script_json(data) << "</script>\n<script>" << bundle.script << "</script>\n</body>\n</html>\n";
}

}  // namespace nibble
