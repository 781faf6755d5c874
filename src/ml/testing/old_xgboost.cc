// A library that says it is XGBoost 1.7.4, as Debian's is: for the test of the version check.

extern "C" void XGBoostVersion(int* major, int* minor, int* patch) {
  *major = 1;
  *minor = 7;
  *patch = 4;
}
