"""What sources are written in, and with: C++ wherever it stands, cJSON."""
import pytest

from test_project_files import maker, says  # noqa: F401 (a fixture)

VECTOR = """#include <stdexcept>
#include <vector>
extern "C" int largest(int a, int b)
{
    std::vector<int> v{ a, b };
    try {
        return v.at(2);
    } catch (const std::out_of_range &) {
        return a > b ? a : b;
    }
}
"""


def test_cpp_in_a_project_that_does_not_say_so(make):
    """project(NAME) alone, as ESP-IDF's examples have it; also when the build
    folder is used again and what was found is remembered."""
    project = make({
        "components/vec/CMakeLists.txt":
            "idf_component_register(SRCS src/vec.cpp)\n",
        "components/vec/src/vec.cpp": VECTOR,
        "main/CMakeLists.txt":
            "idf_component_register(SRCS main.c REQUIRES vec)\n",
        "main/main.c": "#include <stdio.h>\nint largest(int a, int b);\n"
                       'void app_main(void) { printf("largest %d\\n", '
                       "largest(4, 7)); }\n"})
    project.build(*project.room)
    assert "largest 7" in says(project)
    project.write("components/vec/src/vec.cpp",
                  VECTOR.replace("a > b ? a : b", "a + b"))
    project.write("version.txt", "2\n")
    project.build(*project.room)
    assert "largest 11" in says(project)


@pytest.mark.parametrize("name", ["json", "espressif__cjson", None])
def test_cjson_is_the_machines(make, name):
    """By the names that releases have for it, and for main without a word."""
    asks = f"REQUIRES {name}" if name else ""
    project = make({
        "main/idf_component.yml": "dependencies:\n  espressif/cjson: '*'\n"
        if name == "espressif__cjson" else None,
        "main/CMakeLists.txt": f"idf_component_register(SRCS main.c {asks})\n",
        "main/main.c": '#include <stdio.h>\n#include "cJSON.h"\n'
                       "void app_main(void) { cJSON *o = cJSON_Parse("
                       '"{\\"version\\": 7}"); printf("version %d\\n", '
                       'cJSON_GetObjectItem(o, "version")->valueint); '
                       "cJSON_Delete(o); }\n"})
    project.build(*project.room)
    assert "version 7" in says(project)


def test_a_projects_own_cjson_comes_first(make):
    project = make({
        "components/json/CMakeLists.txt":
            "idf_component_register(SRCS own.c INCLUDE_DIRS .)\n",
        "components/json/cJSON.h": "int own(void);\n",
        "components/json/own.c": "int own(void) { return 5; }\n",
        "main/CMakeLists.txt":
            "idf_component_register(SRCS main.c REQUIRES json)\n",
        "main/main.c": '#include <stdio.h>\n#include "cJSON.h"\n'
                       'void app_main(void) { printf("own %d\\n", own()); }'})
    project.build(*project.room)
    assert "own 5" in says(project)
