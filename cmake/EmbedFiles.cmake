# fovea_embed_files(<target> FILES <path>... [FUNCTION name]): compiles files into the target, under
# their paths relative to the current source folder, and defines embedded_files() of
# models/embedded.h, or a function like it of that name.
#
# The assembler copies the bytes (.incbin), so that a file of any size costs no compile time.
function(fovea_embed_files target)
  cmake_parse_arguments(ARG "" "FUNCTION" "FILES" ${ARGN})
  if(NOT ARG_FUNCTION)
    set(ARG_FUNCTION embedded_files)
  endif()
  set(assembly "// Written by cmake/EmbedFiles.cmake.\n    .section .rodata, \"a\"\n")
  set(declarations "")
  set(rows "")
  set(paths "")
  set(count 0)
  foreach(file IN LISTS ARG_FILES)
    set(path "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
    set(symbol "fovea_${ARG_FUNCTION}_${count}")
    # 64: a tensor file is read in place, and its data starts at a multiple of 8 within the file.
    string(APPEND assembly
      "    .balign 64\n"
      "    .globl ${symbol}\n    .hidden ${symbol}\n${symbol}:\n    .incbin \"${path}\"\n"
      "    .globl ${symbol}_end\n    .hidden ${symbol}_end\n${symbol}_end:\n    .byte 0\n")
    string(APPEND declarations "extern const std::byte ${symbol}[];\n"
                               "extern const std::byte ${symbol}_end[];\n")
    string(APPEND rows "    EmbeddedFile{\"${file}\", {${symbol}, ${symbol}_end}},\n")
    list(APPEND paths "${path}")
    math(EXPR count "${count} + 1")
  endforeach()
  string(APPEND assembly "    .section .note.GNU-stack, \"\", %progbits\n")

  set(base "${CMAKE_CURRENT_BINARY_DIR}/${target}_files")
  file(CONFIGURE OUTPUT "${base}.S" CONTENT "${assembly}" @ONLY)
  file(CONFIGURE OUTPUT "${base}.cc" @ONLY CONTENT
"// Written by cmake/EmbedFiles.cmake.
#include <array>

#include \"models/embedded.h\"

extern \"C\" {
${declarations}}

namespace fovea {

std::span<const EmbeddedFile> ${ARG_FUNCTION}() {
  static const std::array<EmbeddedFile, ${count}> files{
${rows}  };
  return files;
}

}  // namespace fovea
")
  set_source_files_properties("${base}.S" PROPERTIES OBJECT_DEPENDS "${paths}")
  target_sources(${target} PRIVATE "${base}.S" "${base}.cc")
endfunction()
