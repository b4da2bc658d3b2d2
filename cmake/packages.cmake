# Every third-party library, from Debian's packages (packages.txt).
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(RocksDB REQUIRED)
find_package(Protobuf REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(simdjson REQUIRED)
find_package(spdlog REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)

# Packages without a CMake file of their own.
add_library(tl_expected INTERFACE)
find_path(TL_EXPECTED_INCLUDE tl/expected.hpp REQUIRED)
add_library(xxhash INTERFACE)
find_path(XXHASH_INCLUDE xxhash.h REQUIRED)
add_library(sodium INTERFACE)
find_path(SODIUM_INCLUDE sodium.h REQUIRED)
find_library(SODIUM_LIBRARY sodium REQUIRED)
target_link_libraries(sodium INTERFACE ${SODIUM_LIBRARY})

add_library(utf8proc INTERFACE)
find_path(UTF8PROC_INCLUDE utf8proc.h REQUIRED)
find_library(UTF8PROC_LIBRARY utf8proc REQUIRED)
target_link_libraries(utf8proc INTERFACE ${UTF8PROC_LIBRARY})

# librdkafka's package has files for pkg-config alone.
add_library(rdkafka INTERFACE)
find_path(RDKAFKA_INCLUDE librdkafka/rdkafka.h REQUIRED)
find_library(RDKAFKA_LIBRARY rdkafka REQUIRED)
target_link_libraries(rdkafka INTERFACE ${RDKAFKA_LIBRARY})
