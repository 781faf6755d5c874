// Ten lines of a program that uses viand: opens a repo and prints what is in it.
#include <viand/feature_store.h>

#include <iostream>

int main(int argc, char** argv) {
  auto store = viand::FeatureStore::Open(argc > 1 ? argv[1] : ".");
  if (!store.ok()) return std::cerr << store.status().ToString() << "\n", 1;
  auto objects = (*store)->List("");
  if (!objects.ok()) return std::cerr << objects.status().ToString() << "\n", 1;
  for (const auto& object : *objects) std::cout << object.kind << " " << object.name << "\n";
}
