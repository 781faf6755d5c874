#include "src/ml/xgboost_library.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace viand::ml {
namespace {

constexpr char kInstall[] =
    "install it with `pip install xgboost-cpu==3.2.*`, or set VIAND_XGBOOST_LIBRARY to the path of "
    "its libxgboost.so";

/// Sets an environment variable while it lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }

 private:
  const char* const name_;
};

arrow::Status OpenError(const std::vector<std::string>& candidates) {
  return XgboostLibrary::Open(candidates).status();
}

TEST(XgboostLibrary, LoadsTheWheelsLibraryOnce) {
  const auto first = XgboostLibrary::Load(1);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  EXPECT_EQ((*first)->version().substr(0, 2), "3.");
  EXPECT_EQ(*XgboostLibrary::Load(2), *first);
  EXPECT_STREQ(std::getenv("OMP_WAIT_POLICY"), "passive");
}

TEST(XgboostLibrary, MissingNamesEveryPlaceAndTheCommand) {
  const arrow::Status status = OpenError({"/nowhere/a.so", "/nowhere/b.so"});
  EXPECT_EQ(status.message(),
            "cannot load XGBoost: /nowhere/a.so does not exist; /nowhere/b.so does not exist");
  EXPECT_EQ(KindOf(status), ErrorKind::kEnvironment);
  EXPECT_EQ(DetailOf(status)->hint, kInstall);
}

TEST(XgboostLibrary, TooOldIsRefusedWithBothVersions) {
  const arrow::Status status = OpenError({VIAND_OLD_XGBOOST});
  EXPECT_EQ(status.message(), std::string("cannot load XGBoost: ") + VIAND_OLD_XGBOOST +
                                  " is XGBoost 1.7.4, expected 3.x");
  EXPECT_EQ(KindOf(status), ErrorKind::kEnvironment);
  EXPECT_EQ(DetailOf(status)->hint, kInstall);
}

TEST(XgboostLibrary, AnotherLibraryIsRefused) {
  EXPECT_EQ(OpenError({"libm.so.6"}).message(),
            "cannot load XGBoost: libm.so.6 is not XGBoost: it has no XGBoostVersion");
}

TEST(XgboostLibrary, AFileThatIsNoLibraryIsRefused) {
  const arrow::Status status = OpenError({"/proc/self/status"});
  EXPECT_NE(status.message().find("/proc/self/status"), std::string::npos) << status.message();
  EXPECT_EQ(KindOf(status), ErrorKind::kEnvironment);
}

TEST(XgboostLibrary, APathOfTheUserIsTheOnlyCandidate) {
  const Variable variable("VIAND_XGBOOST_LIBRARY", "/chosen/libxgboost.so");
  EXPECT_EQ(XgboostLibrary::Candidates(), std::vector<std::string>{"/chosen/libxgboost.so"});
}

TEST(XgboostLibrary, LooksBesideTheProgramFirstAndInTheSystemLast) {
  unsetenv("VIAND_XGBOOST_LIBRARY");
  const std::vector<std::string> candidates = XgboostLibrary::Candidates();
  ASSERT_GE(candidates.size(), 3u);
  EXPECT_NE(candidates[0].find("/lib/viand/libxgboost.so"), std::string::npos);
  EXPECT_EQ(candidates.back(), "libxgboost.so");
}

TEST(XgboostLibrary, ThreadsAreBoundedByTheCores) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  EXPECT_EQ(BoundThreads(0), cores);
  EXPECT_EQ(BoundThreads(-3), cores);
  EXPECT_EQ(BoundThreads(1), 1);
  EXPECT_EQ(BoundThreads(100'000), cores);
}

TEST(CleanXgboostText, LeavesTheWordsForPeople) {
  EXPECT_EQ(
      CleanXgboostText("[03:00:01] /workspace/src/metric/metric.cc:49: Unknown metric function x\n"
                       "Stack trace:\n  [bt] (0) libxgboost.so(+0x11031e)\n\n"),
      "Unknown metric function x");
  EXPECT_EQ(CleanXgboostText("[03:00:01] WARNING: /workspace/src/learner.cc:782: \nParameters: "
                             "{ \"max_dept\" } are not used.\n"),
            "Parameters: { \"max_dept\" } are not used.");
  EXPECT_EQ(CleanXgboostText("Stack trace:\n"), "");
}

}  // namespace
}  // namespace viand::ml
