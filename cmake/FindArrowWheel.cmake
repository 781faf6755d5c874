# Finds Arrow C++ inside the pyarrow wheel (headers and libraries are both in it) of the project's .venv, else of the
# environment that pip builds in, or wherever VIAND_PYARROW points. Defines Arrow::arrow, Arrow::parquet, Arrow::dataset, Arrow::compute.
file(GLOB _candidates ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/pyarrow)
if(NOT _candidates)
  find_path(_site_packages pyarrow/include/arrow/api.h PATHS ${CMAKE_PREFIX_PATH} NO_DEFAULT_PATH NO_CACHE)
  if(_site_packages)
    set(_candidates ${_site_packages}/pyarrow)
  endif()
endif()
set(VIAND_PYARROW "${_candidates}" CACHE PATH "Folder of the pyarrow wheel")
find_path(ArrowWheel_INCLUDE_DIR arrow/api.h PATHS ${VIAND_PYARROW}/include NO_DEFAULT_PATH)
file(GLOB _libarrow ${VIAND_PYARROW}/libarrow.so.*)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ArrowWheel
  REASON_FAILURE_MESSAGE "run ./dev build, which installs the pyarrow wheel into .venv"
  REQUIRED_VARS ArrowWheel_INCLUDE_DIR _libarrow)
string(REGEX REPLACE ".*\\.so\\." "" ArrowWheel_SOVERSION "${_libarrow}")

function(_arrow_library name file)
  add_library(Arrow::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(Arrow::${name} PROPERTIES
    IMPORTED_LOCATION ${VIAND_PYARROW}/lib${file}.so.${ArrowWheel_SOVERSION}
    INTERFACE_INCLUDE_DIRECTORIES ${ArrowWheel_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "${ARGN}")
endfunction()
_arrow_library(arrow arrow)
_arrow_library(compute arrow_compute Arrow::arrow)
_arrow_library(acero arrow_acero Arrow::compute)
_arrow_library(parquet parquet Arrow::arrow)
_arrow_library(dataset arrow_dataset Arrow::acero Arrow::parquet)
