import Metrics

extension Family {
  /// Every family that the fleet's parts export, those apart that servers name.
  public static var ofFleet: [Family] {
    CollectorCatalogue.all.flatMap(\.families) + PollFamilies.all + KeyWork.families + WorkloadFamilies.all
      + FailoverFamilies.all + ObjectiveFamilies.all + JudgementFamilies.all + ProbeFamilies.all
      + LoadFamilies.all + WatchFamilies.all
  }
}
