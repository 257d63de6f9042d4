package notify

import "ozswitch/ozml"

// cure gives the manual's advice.
func cure(code string) string {
	for _, d := range ozml.Codes() {
		if d.Code == code {
			return d.Cure
		}
	}
	return ""
}
