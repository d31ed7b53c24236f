// The one file in C++: toml++ is a C++ library. No exception leaves it.
#include "toml_read.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string_view>

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

extern "C" char *toml_read_json(const char *text, size_t len, char *why,
                                size_t why_len)
{
    try {
        toml::table table = toml::parse(std::string_view(text, len));
        std::ostringstream json;

        json << toml::json_formatter{ table };
        return strdup(json.str().c_str());
    } catch (const toml::parse_error &e) {
        std::snprintf(why, why_len, "line %u, column %u: %.*s",
                      static_cast<unsigned>(e.source().begin.line),
                      static_cast<unsigned>(e.source().begin.column),
                      static_cast<int>(e.description().size()),
                      e.description().data());
    } catch (...) {
        std::snprintf(why, why_len, "out of memory");
    }
    return nullptr;
}
