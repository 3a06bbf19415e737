# slipway_web(TARGET): the web UI (web/) as a source file of the target, and the target `web` that builds it alone.
# npm is that of PATH or of `tools/setup web`; without it, or with -DSLIPWAY_WEB=OFF, the file says that there are no pages.
option(SLIPWAY_WEB "Build the web UI into slipway (needs npm)" ON)

function(slipway_web target)
  set(source ${PROJECT_BINARY_DIR}/web/ui_assets.cc)
  set(cache $ENV{SLIPWAY_CACHE})
  if(NOT cache)
    set(cache $ENV{HOME}/.cache/slipway)
  endif()
  find_program(SLIPWAY_NPM npm HINTS ${cache}/nodejs/bin)
  file(GLOB_RECURSE inputs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/web/src/* ${PROJECT_SOURCE_DIR}/web/tools/*)
  list(APPEND inputs ${PROJECT_SOURCE_DIR}/web/package.json ${PROJECT_SOURCE_DIR}/web/package-lock.json)
  if(SLIPWAY_WEB AND SLIPWAY_NPM)
    set(npm ${SLIPWAY_NPM})
  else()
    set(npm "")
    message(STATUS "The web UI is left out: no npm (tools/setup web brings one)")
  endif()
  add_custom_command(OUTPUT ${source}
                     COMMAND ${PROJECT_SOURCE_DIR}/web/tools/build "${npm}" ${source}
                     DEPENDS ${inputs} VERBATIM COMMENT "Building the web UI")
  add_custom_target(web DEPENDS ${source})
  target_sources(${target} PRIVATE ${source})
  # One long text in it: nothing to precompile, and literals past what the standard demands of a compiler.
  set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS -Wno-overlength-strings)
endfunction()
